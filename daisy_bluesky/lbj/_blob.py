"""One array as bytes, in the same format as a file."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.lbj._arguments import array_of, real_number
from daisy_bluesky.lbj._channel_blocks import bias_in
from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._header import Header, checksum_of
from daisy_bluesky.lbj._model_fit import Noise
from daisy_bluesky.lbj._record import ITEM, OVERHEAD, frame, parse_head
from daisy_bluesky.lbj._references import References
from daisy_bluesky.lbj._source import Source
from daisy_bluesky.lbj._spectra_codecs import BLOCKS, stored_dtype
from daisy_bluesky.lbj._stored import decode_alone
from daisy_bluesky.lbj._values import encode_values


def dumps(
    array: ArrayLike,
    *,
    sigma: float | None = None,
    blocks: Sequence[tuple[int, int]] | None = None,
    dark: ArrayLike | None = None,
    gain: ArrayLike | None = None,
    noise: tuple[float, float] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> bytes:
    """Return an array as one self-describing blob: a listed-bin-journal of a single item.

    Parameters
    ----------
    array : (..., channels) integer, bool or float
        Restored by `loads` bit by bit, its type included, unless `sigma` or `blocks` are given.
    sigma : float, optional
        Store spectra in steps of this many sigma of their noise, 1/16 to 16, with a subtractive dither. They come back
        as floats within half a step, unbiased, with ``sigma**2 / 12`` more variance, in units of the modelled sigma
        squared; what lies far from its prediction, or is not finite, comes back exactly.
    blocks : sequence of (int, int), optional
        Lossy: first channel and down-sampling of each block. Blocks of down-sampling 1 come back exactly; of others,
        averages of that many channels are kept, and the channels between them are interpolated in their logarithm.
    dark, gain : array-like, optional
        References, of a shape that broadcasts against `array`. The raw counts are stored; ``(array - dark) * gain``,
        float32, comes back.
    noise : (float, float), optional
        Variance per unit of signal, and that at no signal, which `sigma` counts in; fitted to the array when None.
    metadata : mapping, optional
        Anything JSON can hold, e.g. ``{"offset": 280.0, "dispersion": 0.5, "unit": "eV"}``.

    Raises
    ------
    ValueError
        If the array has no axis or no channels, is masked, its type is none of the format's, or an option does not fit
        it.
    TypeError
        If an option is of another type.
    """
    values = array_of("array", array)
    if values.ndim == 0:
        raise ValueError("a blob needs an array with a channel axis; wrap the number in a list")
    promised = Guarantee.of(values.shape[-1], sigma, blocks)
    references = References.of(dark, gain, values.shape)
    if promised.kind != "exact" and references is not None:
        raise ValueError("sigma and blocks are for spectra as corrected; give them without references")
    if promised.kind != "exact" and values.dtype.kind == "b":
        raise ValueError("sigma and blocks are for spectra, not truth values; give an array of numbers")
    if references is not None and values.dtype.kind not in "iu":
        raise ValueError(f"references are for raw counts; the array holds {values.dtype}: leave dark and gain out")
    given = None if noise is None else _noise_of(noise, promised)
    dtype = stored_dtype(values.dtype, promised)
    header = Header.of(values.shape[:-1], values.shape[-1], dtype, metadata, promised, references)
    flat = np.ascontiguousarray(values, header.dtype).reshape(-1)
    codec, payload = encode_values(flat, promised, given)
    head = header.to_bytes()
    return head + frame(checksum_of(head), len(head), ITEM, codec, 1, payload)


def loads(blob: bytes) -> NDArray[Any]:
    """Return the array, (..., channels), that `dumps` wrote.

    Raises
    ------
    LBJError
        If the blob is damaged, cut short, or does not hold exactly one item.
    TypeError
        If it is not bytes.
    """
    header, codec, payload = _parts(blob)
    values = header.room(1)[0]
    decode_alone(header, codec, payload, values)
    item = values.reshape(header.item_shape)
    return item if header.references is None else header.references.apply(item)


def guarantee(blob: bytes) -> Guarantee:
    """Return how the values of a blob differ from those it was made of; LBJError as `loads` raises."""
    return _parts(blob)[0].guarantee


def bias(blob: bytes) -> NDArray[np.float64]:
    """Return the mean error of each channel, (channels,), in the units of the values, as measured when written.

    It is 0 unless channels were down-sampled; LBJError as `loads` raises.
    """
    header, codec, payload = _parts(blob)
    return bias_in(payload, header.voxels) if codec == BLOCKS else np.zeros(header.channels)


def _noise_of(noise: tuple[float, float], promised: Guarantee) -> Noise:
    if promised.step is None:
        raise ValueError("noise is what sigma counts in; give sigma, or leave noise out")
    try:
        slope, floor = noise
    except (TypeError, ValueError):
        raise ValueError("noise must be two numbers, the variance per unit of signal and that at no signal") from None
    found = Noise(real_number("noise", slope), real_number("noise", floor))
    if not (0 <= found.slope < math.inf and 0 <= found.floor < math.inf and any(found)):
        raise ValueError(f"noise ({slope}, {floor}) must be finite variances, 0 or more, and one of them above 0")
    return found


def _parts(given: bytes) -> tuple[Header, int, bytes]:
    try:
        blob = bytes(memoryview(given))
    except TypeError:
        raise TypeError(f"a blob is bytes, as dumps returns them, not {type(given).__name__}") from None
    source = Source(io.BytesIO(blob), "blob")
    contents = Contents(source)
    rows = contents.rows
    if rows.places.size == 1 and contents.end != len(blob):
        raise LBJError(f"blob: {len(blob) - contents.end} bytes follow its end; it is damaged, or joined with others")
    if rows.places.size != 1:
        raise LBJError(f"blob: {rows.places.size} whole items where 1 is due; it is damaged, cut short or a file")
    record = blob[int(rows.places[0]) :][: OVERHEAD + int(rows.lengths[0])]
    head = parse_head(record)
    return contents.header, head.codec if head else -1, record[OVERHEAD:]
