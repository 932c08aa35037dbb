"""Serving LBJ files through tiled."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from ndindex import ndindex  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tiled.adapters.core import Adapter
from tiled.ndslice import NDBlock, NDSlice
from tiled.structures.array import ArrayStructure
from tiled.structures.core import Spec, StructureFamily
from tiled.structures.data_source import DataSource

from daisy_bluesky.storage._payload import file_path
from daisy_bluesky.storage._payload_reader import PayloadReader

Array = NDArray[Any]
_EVERYTHING = NDSlice(...)


class LBJAdapter(Adapter[ArrayStructure]):
    """One payload of a stream as a dense array, (events, channels) or (events, rows, columns, channels).

    Row `i` is the event with seq_num `i + 1`. A slice decodes the records of the events it names and no others, and
    of these only the pixels and energy bands it touches, so that an elemental map of a long series costs little.

    Parameters
    ----------
    data_uris : list of str
        The LBJ file.
    structure : ArrayStructure
        Shape, dtype and chunks as tiled knows them; a file that has grown since shows the rows that tiled knows.
    metadata : dict, optional
    specs : list of Spec, optional
    """

    structure_family = StructureFamily.array

    def __init__(
        self,
        data_uris: list[str],
        structure: ArrayStructure,
        *,
        metadata: dict[str, Any] | None = None,
        specs: list[Spec] | None = None,
    ) -> None:
        super().__init__(structure, metadata=metadata, specs=specs)
        self._path = file_path(data_uris[0])
        self._dtype: np.dtype[Any] = structure.data_type.to_numpy_dtype()

    @classmethod
    def from_catalog(cls, data_source: DataSource[ArrayStructure], node: Any, /, **parameters: Any) -> "LBJAdapter":
        """Make the adapter from what tiled's catalog keeps."""
        from tiled.adapters.utils import init_adapter_from_catalog  # loads dask, which only a server needs

        adapter: LBJAdapter = init_adapter_from_catalog(cls, data_source, node, **parameters)
        return adapter

    @property
    def dims(self) -> tuple[str, ...] | None:
        """Names of the axes."""
        names: tuple[str, ...] | None = self._structure.dims
        return names

    def read(self, slice: NDSlice = _EVERYTHING) -> Array:  # noqa: A002
        """Return the part of the array that a slice names."""
        events, *rest = ndindex(tuple(slice)).expand(self._structure.shape).raw
        rows = [events] if isinstance(events, int) else range(*events.indices(self._structure.shape[0]))
        parts = _reader(self._path).parts([row + 1 for row in rows], tuple(rest)).astype(self._dtype, copy=False)
        return parts[0] if isinstance(events, int) else parts

    def read_block(self, block: NDBlock, slice: NDSlice = _EVERYTHING) -> Array:  # noqa: A002
        """Return the part of one chunk that a slice names."""
        array = self.read(block.slice_from_chunks(self._structure.chunks))
        return array[tuple(slice)] if slice else array


def _reader(path: Path) -> PayloadReader:
    status = path.stat()
    return _open(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _open(path: Path, size: int, modified: int) -> PayloadReader:  # noqa: ARG001
    return PayloadReader(path)
