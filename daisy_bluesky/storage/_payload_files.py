"""The payload files of one run, and the documents that point into them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj import Writer
from daisy_bluesky.storage._lines import Document
from daisy_bluesky.storage._payload import Payload, stream_resource

NamedDocument = tuple[str, Document]


class PayloadFiles:
    """Writes payload arrays into one LBJ file per stream and data key.

    Parameters
    ----------
    folder : Path
        The run's folder.
    run : str
        The run's uid.
    opened : callable
        Called with the path of each file that was made.
    """

    def __init__(self, folder: Path, run: str, opened: Callable[[Path], None]) -> None:
        self._folder = folder
        self._run = run
        self._opened = opened
        self._files: dict[tuple[str, str], tuple[Payload, Writer, str]] = {}
        self._datums = count()

    def store(
        self, payload: Payload, descriptor: str, seq_nums: Sequence[int], values: Sequence[Any]
    ) -> Iterator[NamedDocument]:
        """Hand the values of consecutive events to the operating system; yield the documents that say where they are.

        Raises
        ------
        OSError
            If the disk is full or failed.
        ValueError
            If a value is not as its descriptor declares.
        """
        arrays = [payload.value(value) for value in values]
        place = payload.stream, payload.data_key
        if place not in self._files:
            yield "stream_resource", self._open(payload, arrays[0].dtype)
        known, writer, resource = self._files[place]
        if known != payload:
            raise ValueError(f"{payload.stream} {payload.data_key}: shape and dtype cannot change within a run")
        _append(writer, seq_nums, arrays)
        writer.flush()
        yield "stream_datum", self._datum(resource, descriptor, seq_nums)

    def close(self) -> None:
        """Seal all files.

        Raises
        ------
        OSError
            If the disk is full or failed.
        """
        for _, writer, _ in self._files.values():
            writer.close()

    def _open(self, payload: Payload, dtype: Any) -> Document:
        path = self._folder / payload.file_name
        stored = None if payload.list_dtype is not None else payload.dtype or dtype
        writer = Writer(path, shape=payload.shape[:-1], channels=payload.shape[-1], dtype=stored)
        self._opened(path)
        uid = str(uuid4())
        self._files[payload.stream, payload.data_key] = payload, writer, uid
        return stream_resource(payload, path, self._run, uid)

    def _datum(self, resource: str, descriptor: str, seq_nums: Sequence[int]) -> Document:
        first, last = seq_nums[0], seq_nums[-1]
        return {
            "uid": f"{resource}/{next(self._datums)}",
            "stream_resource": resource,
            "descriptor": descriptor,
            "indices": {"start": first - 1, "stop": last},
            "seq_nums": {"start": first, "stop": last + 1},
        }


def _append(writer: Writer, seq_nums: Sequence[int], arrays: Sequence[NDArray[Any]]) -> None:
    """Write arrays, all at once where there are several of one kind."""
    if len(arrays) > 1 and arrays[0].dtype.names is None and len({(each.dtype, each.shape) for each in arrays}) == 1:
        writer.append_all(seq_nums, np.stack(arrays))
        return
    for seq_num, array in zip(seq_nums, arrays, strict=True):
        writer.append(seq_num, array)
