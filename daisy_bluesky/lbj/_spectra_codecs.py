"""The codecs of spectra: which payload a guarantee asks for, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._channel_blocks import decode_blocks, encode_blocks
from daisy_bluesky.lbj._channel_offsets import decode_offsets, encode_offsets
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._model_fit import Noise
from daisy_bluesky.lbj._spectra_payload import (
    MOST_VOXELS_PER_BYTE,
    decode_exact,
    decode_quantised,
    encode_exact,
    encode_quantised,
)
from daisy_bluesky.lbj._spectra_plan import lattice_of

EXACT = 16
QUANTISED = 17
BLOCKS = 18
OFFSETS = 19
SPECTRA = range(EXACT, OFFSETS + 1)

_LARGEST_DOWN_SAMPLING = 2**12  # on average over the channels


def stored_dtype(dtype: np.dtype[Any], guarantee: Guarantee) -> np.dtype[Any]:
    """Return the type in which values are stored and come back: quantised ones are floats that hold them."""
    if guarantee.step is None or dtype in (np.float32, np.float64):
        return dtype
    return np.dtype(np.float64 if dtype.itemsize > 2 else np.float32)


def encode_spectra(values: NDArray[Any], guarantee: Guarantee, noise: Noise | None = None) -> tuple[int, bytes] | None:
    """Return codec and payload of values, (voxels,) of the stored type; None where that takes no fewer bytes.

    Raises
    ------
    ValueError
        If a value to be down-sampled is not finite.
    """
    spectra = values.reshape(-1, guarantee.channels)
    if spectra.size == 0:
        return None
    if guarantee.kind == "blocks":
        return BLOCKS, encode_blocks(spectra, guarantee.blocks)
    codec = EXACT if guarantee.step is None else QUANTISED
    if spectra.dtype.kind == "b":
        return None
    payload = encode_exact(spectra) if guarantee.step is None else encode_quantised(spectra, guarantee.step, noise)
    offsets = encode_offsets(spectra) if guarantee.step is None and lattice_of(spectra) is None else None
    if offsets is not None and (payload is None or len(offsets) < len(payload)):
        return OFFSETS, offsets
    return None if payload is None else (codec, payload)


def check_room(codec: int, voxels: int, payload: bytes | memoryview) -> None:
    """Raise LBJError where a payload has too few bytes for the voxels it is said to hold."""
    most = MOST_VOXELS_PER_BYTE * len(payload) * (_LARGEST_DOWN_SAMPLING if codec == BLOCKS else 1)
    if voxels > most:
        raise LBJError(f"{voxels} voxels claimed in {len(payload)} bytes")


def decode_spectra(codec: int, payload: bytes, out: NDArray[Any]) -> None:
    """Fill `out`, (voxels,) of the stored type; LBJError where the payload is not one of such values."""
    check_room(codec, out.size, payload)
    if out.dtype.kind == "b":
        raise LBJError("spectra stored for truth values")
    decoders = {EXACT: decode_exact, QUANTISED: decode_quantised, BLOCKS: decode_blocks, OFFSETS: decode_offsets}
    decoders[codec](payload, out)
