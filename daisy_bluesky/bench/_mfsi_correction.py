"""What it costs to put the spectra of a series together, and whether their statistics survive it."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._mfsi_crystal import CHANNELS, FRAMES, SHAPE, Crystal, Frame
from daisy_bluesky.mfsi import SpectrumSum

SEEDS = range(5)
UPSAMPLE = 4
VOLUME = (SHAPE[0] * UPSAMPLE, SHAPE[1] * UPSAMPLE, CHANNELS)
WINDOWS = ((280, 330), (330, 380), (850, 880), (1105, 1140))
WANTED_SECONDS, WANTED_BYTES = 3.0, 1e9
FANO, FANO_FRAMES = (0.97, 1.03), 40
PEER_CHANNELS = 8
NAMES = f"{FRAMES} frames of {SHAPE[0]} x {SHAPE[1]} x {CHANNELS:,}, 32.8k events each"


@dataclass(frozen=True)
class Spent:
    """CPU seconds of the parts of a correction."""

    adding: float
    maps: float
    exposure: float
    volume: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.adding + self.maps + self.exposure + self.volume


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - simulated series
    """Correct simulated series by their true displacements."""
    in_hand = np.ones(VOLUME, np.uint8)
    first = list(Crystal(SEEDS[0]).frames())
    correct(first[:2], in_hand)
    spent, untouched, factors = [], 0.0, []
    for seed in SEEDS:
        frames = first if seed == SEEDS[0] else list(Crystal(seed).frames())
        spent.append(correct(frames, in_hand))
        untouched = max(untouched, correct(frames).total)
        factors.append([_fano(frames[:FANO_FRAMES], name) for name in ("dithered", "bilinear")])
    worst = max(spent, key=lambda each: each.total)
    yield Gate(
        f"{NAMES}: correction, four {UPSAMPLE}x maps, exposure and full {UPSAMPLE}x volume, CPU time, worst of "
        f"{len(SEEDS)} seeds",
        f"{untouched:.2f} s, finding memory for the volume included; {worst.total:.2f} s into memory in hand (events "
        f"{worst.adding:.2f}, maps {worst.maps:.2f}, exposure {worst.exposure:.3f}, volume {worst.volume:.2f}, zeros "
        "included)",
        f"<= {WANTED_SECONDS:g} s",
        untouched <= WANTED_SECONDS,
        f"map_coordinates, order 1, from {PEER_CHANNELS} channels of a frame: {_dense(first[0]):.1f} h",
        {
            "seconds": untouched,
            "in_hand_seconds": worst.total,
            "median_in_hand_seconds": float(np.median([each.total for each in spent])),
        },
    )
    yield _memory(first)
    yield _statistics(np.mean(factors, axis=0).tolist())
    yield _same_bits(first[:12])


def correct(frames: list[Frame], out: NDArray[np.uint8] | None = None) -> Spent:
    """Sum a series at 4x, and take everything from it that the gate names, the volume into new memory or `out`."""
    marks = [process_time()]
    total = SpectrumSum(SHAPE, CHANNELS, upsample=UPSAMPLE)
    for frame in frames:
        total.add(frame.events, frame.displacement)
    marks.append(process_time())
    total.maps(WINDOWS)
    marks.append(process_time())
    _ = total.exposure
    marks.append(process_time())
    total.volume(out=out)
    marks.append(process_time())
    return Spent(*np.diff(marks).tolist())


def _dense(frame: Frame) -> float:
    """Return the hours that warping the dense frames with scipy would take."""
    image = np.zeros(SHAPE, np.float32)
    pixels = (np.indices((SHAPE[0] * UPSAMPLE, SHAPE[1] * UPSAMPLE)) - (UPSAMPLE - 1) / 2) / UPSAMPLE
    shift = np.repeat(np.repeat(np.moveaxis(frame.displacement, -1, 0), UPSAMPLE, 1), UPSAMPLE, 2)
    began = process_time()
    for _ in range(PEER_CHANNELS):
        map_coordinates(image, pixels - shift, order=1)
    return (process_time() - began) / PEER_CHANNELS * CHANNELS * FRAMES / 3600


def _memory(frames: list[Frame]) -> Gate:
    tracemalloc.start()
    correct(frames)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    result = prod(VOLUME)
    return Gate(
        f"{NAMES}: memory above the {result / 1e9:.2f} GB of the volume",
        f"{(peak - result) / 1e6:.0f} MB",
        f"<= {WANTED_BYTES / 1e9:g} GB",
        peak - result <= WANTED_BYTES,
        "dense frames in memory: 75 GB",
        {"bytes": float(peak - result)},
    )


def _statistics(factors: list[float]) -> Gate:
    dithered, bilinear = factors
    return Gate(
        f"variance over mean of flat counts after correcting {FANO_FRAMES} frames, 1x, mean of {len(SEEDS)} seeds",
        f"{dithered:.3f}",
        f"{FANO[0]:g}-{FANO[1]:g}",
        FANO[0] <= dithered <= FANO[1],
        f"bilinear {bilinear:.2f}",
        {"dithered": dithered, "bilinear": bilinear},
    )


def _fano(frames: list[Frame], assignment: str) -> float:
    """Return the variance over the mean of the counts of a specimen that is the same everywhere."""
    total = SpectrumSum(SHAPE, CHANNELS, assignment=assignment)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    for frame in frames:
        flat = rng.poisson(1.0, SHAPE)
        events = np.zeros(flat.size, frame.events.dtype)
        events["row"], events["column"] = np.divmod(np.arange(flat.size), SHAPE[1])
        events["count"] = flat.reshape(-1)
        total.add(events, frame.displacement)
    inner = np.s_[12:-12, 12:-12]
    counts, exposure = total.maps([(0, 1)])[0][inner], total.exposure[inner]
    return float(np.mean((counts - exposure) ** 2 / exposure))


def _same_bits(frames: list[Frame]) -> Gate:
    def summed(numbers: list[int]) -> SpectrumSum:
        total = SpectrumSum(SHAPE, CHANNELS, upsample=UPSAMPLE)
        for number in numbers:
            total.add(frames[number].events, frames[number].displacement, frame=number)
        return total

    def bits(total: SpectrumSum) -> tuple[bytes, bytes]:
        return total.events().tobytes(), total.exposure.tobytes()

    n = len(frames)
    one, backwards, merged = summed(list(range(n))), summed(list(range(n))[::-1]), summed([0, 2, 5])
    merged.merge(summed([1]), summed([3, 4, *range(6, n)]))
    same = bits(one) == bits(backwards) == bits(merged)
    return Gate(
        "the same bits whichever order frames come in, and from merged sums of three workers",
        "yes" if same else "no",
        "yes",
        same,
    )
