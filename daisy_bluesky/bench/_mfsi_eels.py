"""What it costs to align, move and sum an EELS series, one frame in memory at a time."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.mfsi import EelsSum, edge_map, edge_shift
from daisy_bluesky.spectra import EnergyAxis

SHAPE, CHANNELS, FRAMES, UPSAMPLE = (60, 94), 2048, 8, 4
SEEDS = range(5)
AXIS = EnergyAxis(250.0, 0.4, CHANNELS, "eV")
ONSET = 456.0  # eV, Ti L3
EDGE_CHANNELS = (470, 610)
WINDOW, FIT = 40.0, (400.0, 448.0)  # eV
SPACING = 5.8  # px of 0.067 nm
STEP = 12  # channels of the drift tube a frame
FINE, MARGIN = 16, 200  # samples a channel of the true spectra, and channels they reach beyond the axis
GAIN = 0.01  # relative differences between the gains of channels
COUNTS = 400.0  # of the background at the start of the axis, electrons
LIKENESS = 0.95
PEER_CHANNELS = 8


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - simulated series
    """Sum simulated series of a perovskite, with energy drift, descan and stepped drift tube."""
    one = _likeness(_summed(SEEDS[0], frames=1)[0], SEEDS[0])
    spent, worst, likeness = [], 0.0, []
    for seed in SEEDS:
        total, seconds, error = _summed(seed)
        spent.append(seconds)
        worst = max(worst, error)
        likeness.append(_likeness(total, seed))
    yield _cost(spent)
    yield Gate(
        f"Ti L map of the sum against the truth: correlation, worst of {len(SEEDS)} seeds",
        f"{min(likeness):.3f}; energy shifts right to {worst:.2f} channels",
        f">= {LIKENESS:g}",
        min(likeness) >= LIKENESS,
        f"one frame: {one:.3f}",
        {"correlation": min(likeness), "worst_shift": worst},
    )


class Series:
    """Frames of a crystal with a Ti edge on one kind of column, drawn one at a time."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.gain = (1 + GAIN * self.rng.normal(size=CHANNELS)).astype(np.float32)
        fine = np.arange(-MARGIN, CHANNELS + MARGIN, 1 / FINE)
        self._edge, self._background = edge(fine).astype(np.float32), background(fine).astype(np.float32)

    def columns(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the intensity of the element at positions (..., 2) px, from 0 to 1."""
        waves = np.cos(2 * np.pi * positions / SPACING)
        return np.asarray((1 + waves[..., 0]) * (1 + waves[..., 1]) / 4)

    def frame(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """Return spectra, displacement and true energy shift of a frame."""
        pixels = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1).astype(np.float64)
        jitter = self.rng.normal(0, 0.1, (SHAPE[0], 1, 2))
        displacement = np.broadcast_to(np.array([0.35, -0.2]) * (number - FRAMES / 2), pixels.shape) + jitter
        y, x = (pixels / np.array(SHAPE) - 0.5).transpose(2, 0, 1)
        drift = 0.3 * number + 1.5 * y - 1.0 * x
        fine = np.rint((np.arange(CHANNELS) - (drift + STEP * number)[..., None] + MARGIN) * FINE).astype(np.int32)
        weights = (60.0 * self.columns(pixels + displacement)).astype(np.float32)
        mean = self._background[fine] + weights[..., None] * self._edge[fine]
        noise = self.rng.standard_normal(mean.shape, dtype=np.float32) * np.sqrt(mean)
        return (mean + noise) * self.gain, displacement, drift


def edge(channel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edge, of height about 1."""
    place = channel - (ONSET - AXIS.offset) / AXIS.dispersion
    peaks = sum(h * np.exp(-0.5 * ((place - at) / 3) ** 2) for h, at in ((1.2, 6), (1.6, 12), (0.8, 20), (1.0, 26)))
    return np.asarray(0.5 / (1 + np.exp(-place / 2)) * np.exp(-np.clip(place, 0, None) / 400) + peaks)


def background(channel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the background, electrons."""
    return np.asarray(COUNTS * ((AXIS.offset + AXIS.dispersion * channel) / 250.0) ** -2.7)


def _summed(seed: int, frames: int = FRAMES) -> tuple[EelsSum, float, float]:
    """Return the sum of a series, the CPU time it took, and the largest error of an energy shift in channels."""
    series, spent, worst = Series(seed), 0.0, 0.0
    total = EelsSum(SHAPE, CHANNELS, upsample=UPSAMPLE)
    channel = np.arange(CHANNELS, dtype=np.float64)
    for number in range(frames):
        spectra, displacement, true = series.frame(number)
        began = process_time()
        stepped = background(channel - STEP * number) + 15.0 * edge(channel - STEP * number)
        low, high = EDGE_CHANNELS[0] + STEP * number, EDGE_CHANNELS[1] + STEP * number
        shift = edge_shift(spectra, stepped, window=(low, high))
        total.add(spectra, displacement, energy_shift=shift - STEP * number)
        spent += process_time() - began
        worst = max(worst, float(np.abs(shift + true).max()))
    return total, spent, worst


def _cost(spent: list[float]) -> Gate:
    series = Series(0)
    spectra, displacement, _ = series.frame(0)
    tracemalloc.start()
    total = EelsSum(SHAPE, CHANNELS, upsample=UPSAMPLE)
    total.add(spectra, displacement)
    total.add(spectra, displacement, energy_shift=0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    frame = spectra.nbytes
    return Gate(
        f"EELS series of {FRAMES} x {SHAPE[0]} x {SHAPE[1]} x {CHANNELS:,}, {UPSAMPLE}x: aligned in energy, moved and "
        f"summed, worst of {len(SEEDS)} seeds",
        f"{max(spent):.1f} s CPU; {peak / 1e6:.0f} MB beside the frame of {frame / 1e6:.0f} MB in hand",
        "time and memory stated, one frame in memory",
        peak < total.nbytes + 2 * frame,
        f"the sum itself {total.nbytes / 1e6:.0f} MB; map_coordinates, order 1, extrapolated from {PEER_CHANNELS} "
        f"channels: {_dense(spectra, displacement):.0f} s",
        {"seconds": max(spent), "bytes": float(peak)},
    )


def _dense(spectra: NDArray[np.float32], displacement: NDArray[np.float64]) -> float:
    """Return the seconds that warping the frames with scipy would take."""
    grid = (np.indices((SHAPE[0] * UPSAMPLE, SHAPE[1] * UPSAMPLE)) - (UPSAMPLE - 1) / 2) / UPSAMPLE
    shift = np.repeat(np.repeat(np.moveaxis(displacement, -1, 0), UPSAMPLE, 1), UPSAMPLE, 2)
    began = process_time()
    for channel in range(PEER_CHANNELS):
        map_coordinates(spectra[..., channel], grid - shift, order=1)
    return (process_time() - began) / PEER_CHANNELS * CHANNELS * FRAMES


def _likeness(total: EelsSum, seed: int) -> float:
    net = edge_map(total, AXIS, ONSET, WINDOW, FIT).rate
    grid = (np.indices(net.shape) - (UPSAMPLE - 1) / 2) / UPSAMPLE
    truth = Series(seed).columns(np.moveaxis(grid, 0, -1))
    inside = np.zeros(net.shape, bool)
    inside[12:-12, 12:-12] = True
    inside &= np.isfinite(net)
    return float(np.corrcoef(net[inside], truth[inside])[0, 1])
