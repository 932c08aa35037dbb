"""One item as counts: in tiles or as one stream, whichever is smaller."""

from typing import Any

from numpy.typing import NDArray

from daisy_bluesky.lbj._codecs import CODED, encode_item
from daisy_bluesky.lbj._coded import Coded, encode_dense
from daisy_bluesky.lbj._spectrum import NO_MODEL, Model
from daisy_bluesky.lbj._streams import write_varint

FEWEST_VOXELS = 1024
"""Voxels from which on tiles are tried."""

_NEARLY_RAW = 8  # streams are tried, too, where tiles took so much


def encode_counts(values: NDArray[Any], channels: int, model: Model = NO_MODEL) -> tuple[int, bytes | Coded]:
    """Return codec, and payload or tiles, of an item.

    Parameters
    ----------
    values : (voxels,) integer, bool or float
        The item, flattened in C order.
    channels : int
        Length of its last axis.
    model : (channels,) or (0,) uint64
        Expected non-zeros per channel in some unit.
    """
    coded = None
    if values.dtype.kind != "f" and values.size >= FEWEST_VOXELS:
        coded = encode_dense(values.reshape(-1, channels), model)
    if coded is not None and len(coded.tiles) * _NEARLY_RAW <= values.size:
        return CODED, coded
    codec, payload = encode_item(values)
    return (codec, payload) if coded is None or len(payload) <= len(coded.tiles) + 1 else (CODED, coded)


def encode_alone(values: NDArray[Any], channels: int) -> tuple[int, bytes]:
    """Return codec and payload of an item, (voxels,), that needs no spectral model."""
    codec, payload = encode_counts(values, channels)
    return codec, payload if isinstance(payload, bytes) else write_varint(0) + payload.tiles
