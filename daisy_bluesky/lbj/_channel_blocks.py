"""Spectra down-sampled by blocks of channels: exact where it matters, averaged where only a background is to be fitted.

Unlike the scheme it follows, averages are not reduced to principal components, so that a feature in few spectra stays,
and they are stored as a logarithm that values at and below zero have too.

References
----------
L. Jones et al., "Managing dose-, damage- and data-rates in multi-frame spectrum-imaging", Microscopy 67 (2018) i98:
down-sampling by blocks, logarithms to four significant figures, interpolation before raising by the exponent.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._guarantee import Blocks, Guarantee
from daisy_bluesky.lbj._signed_log import FINE_POINT, LARGEST_LOG, LOG_POINT, from_log, to_log
from daisy_bluesky.lbj._spectra_parts import packed, split_parts, unpacked
from daisy_bluesky.lbj._streams import read_varint, write_varint

_EXPONENT_BIAS = 2**12
_LARGEST_EXPONENT = 1000


class _Layout(NamedTuple):
    """Which channels are exact, and which averages the others are made of.

    Attributes
    ----------
    exact : (channels,) bool
    first, stop : (samples,) int64
        Channels of each average.
    block : (samples,) int64
        Number of its block.
    """

    exact: NDArray[np.bool_]
    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    block: NDArray[np.int64]


def encode_blocks(values: NDArray[Any], blocks: Blocks) -> bytes:
    """Return the payload of spectra, (spectra, channels), down-sampled by blocks.

    Raises
    ------
    ValueError
        If a value to be down-sampled is not finite.
    """
    layout = _layout(blocks, values.shape[1])
    exact = np.ascontiguousarray(values[:, layout.exact])
    averages = _averages(values, layout)
    exponent = _exponent(values, layout)
    logs = to_log(averages, exponent)
    restored = _restored(layout, exact, logs, exponent, values.dtype)
    bias = np.ldexp((restored.astype(np.float64) - values).mean(axis=0) if len(values) else 0.0, -exponent)
    bias = np.clip(np.nan_to_num(np.broadcast_to(bias, values.shape[1])), -60000, 60000).astype(np.float16)
    numbers = [values.shape[1], exponent + _EXPONENT_BIAS, len(blocks), *(part for block in blocks for part in block)]
    parts = [packed(exact), packed(logs), packed(bias.reshape(1, -1))]
    head = b"".join(map(write_varint, [*numbers, *map(len, parts[:2])]))
    return head + b"".join(parts)


def decode_blocks(payload: bytes, out: NDArray[Any]) -> None:
    """Fill `out`, (voxels,), from a payload; LBJError where it is not one of such values."""
    layout, exponent, parts = _read(payload, out.size)
    spectra = out.size // layout.exact.size
    exact = unpacked(parts[0], (spectra, int(layout.exact.sum())), out.dtype)
    logs = unpacked(parts[1], (spectra, layout.first.size), np.dtype(np.int32))
    if logs.size and not -(LARGEST_LOG << LOG_POINT) <= int(logs.min()) <= int(logs.max()) <= LARGEST_LOG << LOG_POINT:
        raise LBJError("down-sampled spectra are out of range")
    out.reshape(spectra, -1)[:] = _restored(layout, exact, logs, exponent, out.dtype)


def bias_in(payload: bytes, voxels: int) -> NDArray[np.float64]:
    """Return the measured bias of each channel, (channels,), in the units of the values."""
    layout, exponent, parts = _read(payload, voxels)
    bias = unpacked(parts[2], (1, layout.exact.size), np.dtype(np.float16))
    return np.ldexp(bias.reshape(-1).astype(np.float64), exponent)


def _layout(blocks: Blocks, channels: int) -> _Layout:
    exact = np.zeros(channels, np.bool_)
    first, stop, block = [], [], []
    ends = [*(start for start, _ in blocks[1:]), channels]
    for number, ((start, factor), end) in enumerate(zip(blocks, ends, strict=True)):
        if factor == 1:
            exact[start:end] = True
            continue
        starts = np.arange(start, end, factor)
        first.append(starts)
        stop.append(np.minimum(starts + factor, end))
        block.append(np.full(starts.size, number))
    none = np.zeros(0, np.int64)
    joined = (np.concatenate([none, *part]).astype(np.int64) for part in (first, stop, block))
    return _Layout(exact, *joined)


def _averages(values: NDArray[Any], layout: _Layout) -> NDArray[np.float64]:
    if not layout.first.size:
        return np.zeros((len(values), 0))
    sums = np.add.reduceat(np.where(layout.exact, 0, values).astype(np.float64), layout.first, axis=1)
    return np.asarray(sums / (layout.stop - layout.first))


def _exponent(values: NDArray[Any], layout: _Layout) -> int:
    """Return the exponent of the scale of the logarithms: about the noise of a voxel, from neighbouring channels."""
    with np.errstate(invalid="ignore"):  # infinity next to infinity
        off = np.diff(values[:, ~layout.exact].astype(np.float64), axis=1)
    off = off[np.isfinite(off)]
    spread = float(np.median(np.abs(off))) if off.size else 0.0
    return int(np.clip(np.frexp(spread)[1] - 2, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)) if spread else 0


@compiled
def _interpolate(
    logs: NDArray[np.int32],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    block: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Fill the down-sampled channels of `out`, (spectra, channels), with values over their scale, fixed point.

    Logarithms are interpolated, or continued at the ends of a block, on the line through the centres of two
    neighbouring averages.
    """
    limit = (np.int64(LARGEST_LOG) << FINE_POINT) - 1
    for sample in range(first.size):
        before, after = sample, sample
        if sample > 0 and block[sample - 1] == block[sample]:
            before = sample - 1
        if sample + 1 < first.size and block[sample + 1] == block[sample]:
            after = sample + 1
        centre = first[sample] + stop[sample] - 1
        for channel in range(first[sample], stop[sample]):
            left, right = (before, sample) if 2 * channel < centre else (sample, after)
            if left == right:
                left, right = before, after
            start = first[left] + stop[left] - 1
            span = max(first[right] + stop[right] - 1 - start, np.int64(1))
            for spectrum in range(logs.shape[0]):
                low = np.int64(logs[spectrum, left]) << (FINE_POINT - LOG_POINT)
                high = np.int64(logs[spectrum, right]) << (FINE_POINT - LOG_POINT)
                log = low + (high - low) * (2 * channel - start) // span
                out[spectrum, channel] = from_log(min(max(log, -limit), limit))


def _restored(
    layout: _Layout, exact: NDArray[Any], logs: NDArray[np.int32], exponent: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    channels = layout.exact.size
    fixed = np.zeros((len(exact), channels), np.int64)
    _interpolate(logs, layout.first, layout.stop, layout.block, fixed)
    values = np.ldexp(fixed.astype(np.float64), exponent - FINE_POINT)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        # the largest floats within the limits: those of 64-bit integers are not floats themselves
        highest = np.nextafter(float(limits.max) + 1, 0) if dtype.itemsize == 8 else limits.max
        values = np.clip(np.rint(values), limits.min, highest)
    with np.errstate(over="ignore"):
        out = values.astype(dtype)
    out[:, layout.exact] = exact
    return out


def _read(payload: bytes, voxels: int) -> tuple[_Layout, int, list[bytes]]:
    place = 0

    def number() -> int:
        nonlocal place
        value, length = read_varint(payload[place : place + 9])
        place += length
        return value

    channels, exponent, count = number(), number() - _EXPONENT_BIAS, number()
    if not 1 <= channels <= voxels or voxels % channels:
        raise LBJError(f"blocks of spectra with {channels} channels where {voxels} voxels are due")
    if abs(exponent) > _LARGEST_EXPONENT or not 1 <= count <= len(payload):
        raise LBJError(f"{count} blocks of channels claimed in {len(payload)} bytes, or their scale is out of range")
    blocks = tuple((number(), number()) for _ in range(count))
    sizes = number(), number()
    parts = split_parts(payload, place, sizes)
    try:
        Guarantee(channels, None, blocks)
    except ValueError as error:
        raise LBJError(str(error)) from None
    return _layout(blocks, channels), exponent, parts
