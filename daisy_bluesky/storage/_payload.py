"""Which data keys leave an event for a file, and how a descriptor says so."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlparse

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.storage._lines import Document

LARGEST_INLINE = 16
MIMETYPE = "application/x-lbj"
CHUNK_BYTES = 4 * 2**20

_REPLACED = ("external", "shape", "dtype_numpy")
_ORIGINAL = "journalled"
_COUNT_DTYPE = "<u4"
_UNKNOWN_DTYPE = "<f8"


@dataclass(frozen=True)
class Payload:
    """One data key of one stream whose values live in an LBJ file.

    Attributes
    ----------
    stream, data_key : str
        Whose values they are.
    shape : tuple of int
        Dense shape of one event's value; the last axis is the channel axis.
    dtype : numpy.dtype or None
        What the values are stored as; None to take what the first event brings.
    list_dtype : numpy.dtype or None
        Structured dtype (row, column, channel[, count]) of an event list; None when the values are dense.
    """

    stream: str
    data_key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    list_dtype: np.dtype[Any] | None = None

    @property
    def file_name(self) -> str:
        """Name of the file: ``<stream>-<data key>.lbj``; what file systems refuse is percent-encoded."""
        stream = quote(self.stream, safe="").replace("-", "%2D")
        return f"{stream}-{quote(self.data_key, safe='')}.lbj"

    def value(self, value: Any) -> NDArray[Any]:
        """Return an event's value as the array that is stored.

        Raises
        ------
        ValueError
            If its shape is not the declared one, or an event list lacks its fields.
        """
        dtype = self.list_dtype or (None if isinstance(value, np.ndarray) else self.dtype)
        array = np.asarray(value, dtype)
        if self.list_dtype is None and array.shape != self.shape:
            raise ValueError(
                f"{self.stream} {self.data_key}: an event brought shape {array.shape}, "
                f"its descriptor declares {self.shape}"
            )
        return array

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """Shape of the blocks in which a reader is advised to ask, (events, ...): a few MB each."""
        itemsize = np.dtype(self.dtype or _UNKNOWN_DTYPE).itemsize
        events = CHUNK_BYTES // (itemsize * math.prod(self.shape))
        if events:
            return (int(events),)
        rows = CHUNK_BYTES // (itemsize * math.prod(self.shape[1:]))
        return (1, max(1, int(rows)))


def find_payloads(descriptor: Document) -> dict[str, Payload]:
    """Return the payloads of a stream by data key: numeric arrays of more than 16 elements, kept nowhere else.

    An array of variable size, or of text, stays in its events. An event list must declare the dense shape it stands
    for.

    Raises
    ------
    ValueError
        If an event list declares no dense shape (rows, columns, channels).
    """
    found = {}
    for key, data_key in descriptor["data_keys"].items():
        payload = _payload(descriptor["name"], key, data_key)
        if payload is not None:
            found[key] = payload
    return found


def slim_descriptor(descriptor: Document, payloads: dict[str, Payload]) -> Document:
    """Return the descriptor with its payloads declared external, and what it said before beside it."""
    data_keys = dict(descriptor["data_keys"])
    for key, payload in payloads.items():
        original = data_keys[key]
        data_keys[key] = original | {
            "external": "STREAM:",
            "shape": list(payload.shape),
            "dtype_numpy": np.dtype(payload.dtype or _UNKNOWN_DTYPE).str,
            _ORIGINAL: {name: original[name] for name in _REPLACED if name in original},
        }
    return {**descriptor, "data_keys": data_keys}


def inline_descriptor(descriptor: Document) -> tuple[Document, dict[str, Payload]]:
    """Return the descriptor as it was before `slim_descriptor`, and the payloads it had."""
    data_keys = dict(descriptor["data_keys"])
    for key, data_key in data_keys.items():
        if _ORIGINAL in data_key:
            kept = {name: value for name, value in data_key.items() if name not in (*_REPLACED, _ORIGINAL)}
            data_keys[key] = kept | data_key[_ORIGINAL]
    original = {**descriptor, "data_keys": data_keys}
    return original, {key: p for key, p in find_payloads(original).items() if _ORIGINAL in descriptor["data_keys"][key]}


def stream_resource(payload: Payload, path: Path, run: str, uid: str) -> Document:
    """Return the document that says where a payload's file is and how to read it."""
    return {
        "uid": uid,
        "run_start": run,
        "data_key": payload.data_key,
        "mimetype": MIMETYPE,
        "uri": file_uri(path),
        "parameters": {"dataset": payload.data_key, "chunk_shape": list(payload.chunk_shape)},
    }


def payload_path(resource: Document) -> Path:
    """Return the path that a stream_resource document points to."""
    return file_path(resource["uri"])


def file_uri(path: Path) -> str:
    """Return the URI of a file or folder; what a URI may not hold is percent-encoded."""
    return "file://localhost" + quote(str(path))


def file_path(uri: str) -> Path:
    """Return the path that a URI of `file_uri` stands for."""
    return Path(unquote(urlparse(uri).path))


def _payload(stream: str, key: str, data_key: Document) -> Payload | None:
    shape = data_key.get("shape") or []
    declared = data_key.get("dtype_numpy")
    if data_key.get("external") or data_key.get("dtype") != "array":
        return None
    if isinstance(declared, list) and declared:
        if len(shape) != 3 or None in shape:
            raise ValueError(
                f"{stream} {key}: an event list declares the dense shape it stands for, [rows, columns, channels]; "
                f"got {shape}"
            )
        fields = np.dtype([(name, dtype) for name, dtype in declared])
        return Payload(stream, key, tuple(shape), np.dtype(_COUNT_DTYPE), fields)
    dtype = np.dtype(declared) if declared else None
    if None in shape or math.prod(shape) <= LARGEST_INLINE or (dtype is not None and dtype.kind not in "buif"):
        return None
    return Payload(stream, key, tuple(shape), dtype)
