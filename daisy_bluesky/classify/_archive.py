"""Models as plain arrays in a .npz archive: nothing that could run code is stored or read."""

import hashlib
import io
import zipfile
from collections.abc import Mapping

import numpy as np

from daisy_bluesky.classify._counts import Spectra

Arrays = dict[str, Spectra]


def pack(arrays: Mapping[str, Spectra]) -> bytes:
    """Return arrays as the bytes of a compressed .npz archive."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()


def unpack(blob: bytes, kind: str) -> Arrays:
    """Return the arrays of a .npz archive.

    Raises
    ------
    ValueError
        When the bytes are no archive of a model of this `kind`.
    """
    try:
        with np.load(io.BytesIO(blob), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, TypeError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"not a stored {kind}: the archive cannot be read") from error
    if str(arrays.get("kind", "")) != kind:
        raise ValueError(f"not a stored {kind}: the archive holds {str(arrays.get('kind', 'something else'))!r}")
    return arrays


def digest(arrays: Mapping[str, Spectra]) -> str:
    """Return the SHA-256 of names, types, shapes and values, in hexadecimal."""
    content = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        content.update(f"{name}|{values.dtype.str}|{values.shape}|".encode())
        content.update(values.tobytes())
    return content.hexdigest()
