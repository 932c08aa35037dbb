"""One array as bytes, in the same format as a file."""

import io
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.lbj._codecs import decode_item, encode_item
from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._header import Header, checksum_of
from daisy_bluesky.lbj._record import ITEM, OVERHEAD, frame, parse_head
from daisy_bluesky.lbj._source import Source


def dumps(array: ArrayLike) -> bytes:
    """Return an array as one self-describing blob: a listed-bin-journal of a single item.

    Parameters
    ----------
    array : (..., channels) integer, bool or float
        Restored by `loads` exactly, its type included.

    Raises
    ------
    ValueError
        If the array has no axis or no channels, or its type is none of the format's.
    """
    values = np.asarray(array)
    if values.ndim == 0:
        raise ValueError("a blob needs an array with a channel axis; wrap the number in a list")
    header = Header.of(values.shape[:-1], values.shape[-1], values.dtype, None)
    head = header.to_bytes()
    codec, payload = encode_item(np.ascontiguousarray(values, header.dtype).reshape(-1))
    return head + frame(checksum_of(head), len(head), ITEM, codec, 1, payload)


def loads(blob: bytes) -> NDArray[Any]:
    """Return the array, (..., channels), that `dumps` wrote.

    Raises
    ------
    LBJError
        If the blob is damaged, cut short, or does not hold exactly one item.
    """
    source = Source(io.BytesIO(blob), "blob")
    contents = Contents(source)
    rows = contents.rows
    if rows.places.size != 1 or contents.end != len(blob):
        raise LBJError(f"blob: {rows.places.size} whole items where 1 is due; it is damaged, cut short or a file")
    record = blob[int(rows.places[0]) :][: OVERHEAD + int(rows.lengths[0])]
    head = parse_head(record)
    values = np.empty(contents.header.voxels, contents.header.dtype)
    decode_item(head.codec if head else -1, record[OVERHEAD:], values)
    return values.reshape(contents.header.item_shape)
