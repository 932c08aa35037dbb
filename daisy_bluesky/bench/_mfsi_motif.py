"""How precisely repeats of a motif are found, and what folding them gains."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._mfsi_crystal import CELL, CHANNELS, COLUMNS, SHAPE, Crystal
from daisy_bluesky.mfsi import Lattice, Repeats, SpectrumSum, find_motif, find_repeats, fold_frame

SEEDS = range(5)
COUNTS = 230 * 100
CONTRAST = np.array([0.9, 1.0, 0.5, 0.6])  # of the elements in the annular dark-field image
RESIDUAL = 0.03 / np.sqrt(230)  # px rms by row, what registration leaves in a sum of 230 frames
WANTED_ERROR, WANTED_GAIN = 0.012, 0.85
FRAMES = 20
INNER = np.s_[2:-2, 2:-2]


@dataclass(frozen=True)
class Found:
    """Errors in px, of correlation alone and as refined; the gain of folding over that of a square root; CPU time."""

    error: float
    gain: float
    repeats: int
    seconds: float
    folding: float


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - simulated series
    """Find the repeats in aligned sum images and fold events of the same crystals."""
    _found(SEEDS[0], 2)
    found = [_found(seed, FRAMES) for seed in SEEDS]
    error, gain = max(each.error for each in found), min(each.gain for each in found)
    yield Gate(
        f"position of a motif's repeats, sum of 230 frames of 100 counts/px: px rms, worst of {len(SEEDS)} seeds",
        f"{error:.4f} px",
        f"<= {WANTED_ERROR:g} px",
        error <= WANTED_ERROR,
        f"{found[0].repeats} repeats in {max(each.seconds for each in found):.2f} s CPU, lattice and motif found",
        {"error": error},
    )
    yield Gate(
        f"noise gain of folding {found[0].repeats} repeats of element maps over {FRAMES} frames, worst of {len(SEEDS)}",
        f"{gain:.2f} sqrt(n) = {gain * np.sqrt(found[0].repeats):.1f}",
        f">= {WANTED_GAIN:g} sqrt(n)",
        gain >= WANTED_GAIN,
        f"{max(each.folding for each in found) / FRAMES * 1e3:.0f} ms CPU a frame",
        {"gain": gain},
    )


def _found(seed: int, frames: int) -> Found:
    crystal = Crystal(seed, background=False)
    picture = _picture(crystal)
    began = process_time()
    repeats = find_repeats(picture, find_motif(picture, cells=2.0))
    seconds = process_time() - began
    off = Lattice(repeats.positions[0], CELL).residuals(repeats.positions)
    error = float(np.sqrt(np.mean((off - off.mean(axis=0)) ** 2)))
    gain, folding = _gain(crystal, repeats, frames)
    return Found(error, gain, len(repeats), seconds, folding)


def _picture(crystal: Crystal) -> NDArray[np.float64]:
    pixels = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1).astype(np.float64)
    pixels += crystal.rng.normal(0, RESIDUAL, (SHAPE[0], 1, 2))
    image = 0.3 + np.tensordot(CONTRAST, _smooth(crystal, pixels), 1)
    return np.asarray(crystal.rng.poisson(image / image.mean() * COUNTS), dtype=np.float64)


def _smooth(crystal: Crystal, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intensities, (4, rows, columns), between the samples of the unit cell as well."""
    fractions = positions @ np.linalg.inv(CELL) * crystal.cells.shape[1]
    low = np.floor(fractions)
    part = fractions - low
    total = np.zeros((len(COLUMNS), *positions.shape[:2]))
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - down - part[..., 0]) * np.abs(1 - right - part[..., 1])
            at = (low + np.array([down, right])).astype(int) % crystal.cells.shape[1]
            total += weight * crystal.cells[:, at[..., 0], at[..., 1]]
    return np.asarray(total)


def _gain(crystal: Crystal, repeats: Repeats, frames: int) -> tuple[float, float]:
    """Return by how much noise falls from the whole map to the folded one, over sqrt(n), and the CPU time.

    Noise is half the difference of the maps of even and odd frames.
    """
    folded = [SpectrumSum(repeats.shape, CHANNELS) for _ in range(2)]
    whole = [SpectrumSum(SHAPE, CHANNELS, area="common") for _ in range(2)]
    spent = 0.0
    for number, frame in enumerate(crystal.frames(frames)):
        began = process_time()
        moved = fold_frame(frame.events, frame.displacement, repeats, frame=number, channels=CHANNELS)
        folded[number % 2].include(moved)
        spent += process_time() - began
        whole[number % 2].add(frame.events, frame.displacement)
    return _noise(whole) / _noise(folded) / np.sqrt(len(repeats)), spent


def _noise(halves: list[SpectrumSum]) -> float:
    rates = [(half.maps([(0, CHANNELS)])[0] / half.exposure)[INNER] for half in halves]
    rows, columns = (min(sizes) for sizes in zip(*(rate.shape for rate in rates), strict=True))
    one, other = (rate[:rows, :columns] for rate in rates)
    return float(np.std(one - other) / 2)
