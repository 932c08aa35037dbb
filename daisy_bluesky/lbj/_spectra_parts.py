"""Arrays within a payload of spectra, each plain or coded exactly, whichever is shorter."""

from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._spectra_payload import check_claim, decode_exact, encode_exact

_PLAIN = b"\0"
_CODED = b"\1"


def packed(values: NDArray[Any]) -> bytes:
    """Return a part: values, (spectra, channels) integer or float."""
    coded = encode_exact(values) if values.size else None
    raw = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    return _PLAIN + raw if coded is None else _CODED + coded


def unpacked(part: bytes, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the values of a part, of this shape and type; LBJError where it holds none such."""
    expected = shape[0] * shape[1] * dtype.itemsize
    if part[:1] == _PLAIN:
        if len(part) != 1 + expected:
            raise LBJError(f"{len(part) - 1} bytes of values in a part of spectra where {expected} are due")
        return np.frombuffer(part, dtype.newbyteorder("<"), offset=1).astype(dtype).reshape(shape)
    if part[:1] != _CODED:
        raise LBJError("values in a part of spectra are neither plain nor coded")
    check_claim(shape[0] * shape[1], part)
    values = np.empty(shape, dtype)
    decode_exact(part[1:], values.reshape(-1))
    return values


def split_parts(payload: bytes, place: int, sizes: tuple[int, ...]) -> list[bytes]:
    """Return the parts of a payload, given where the first begins and how long all but the last are."""
    if sum(sizes) > len(payload) - place:
        raise LBJError(f"{sum(sizes)} bytes of spectra claimed where {len(payload) - place} are left")
    ends = [*accumulate(sizes, initial=place), len(payload)]
    return [payload[start:end] for start, end in pairwise(ends)]
