"""Places where a motif may repeat itself, to a pixel."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._lattice import Lattice, peak_position
from daisy_bluesky.mfsi._template_correlation import correlation_map, separate_peaks, turned

NEAR = 2  # px around a lattice site within which the best correlation is looked for
APART = 0.5  # of the motif's shorter side, between repeats where there is no lattice


class Classes(NamedTuple):
    """Repeats that differ by translations of the lattice alone; the first class is the motif's own."""

    lattices: list[Lattice]
    numbers: NDArray[np.int64]


class Candidates(NamedTuple):
    """Centres (n, 2) px and angles (n,) degrees to begin with; the classes they belong to, where there is a lattice."""

    positions: NDArray[np.float64]
    angles: NDArray[np.float64]
    classes: Classes | None


def lattice_candidates(
    picture: NDArray[np.float64],
    drawn: NDArray[np.float64],
    lattice: Lattice,
    rotations: Sequence[float],
    least: float,
) -> Candidates:
    """Return every site of the motif's lattice and, for each angle at which it repeats too, of that lattice."""
    half = (np.array(drawn.shape) - 1) / 2
    positions: list[NDArray[np.float64]] = []
    angles: list[float] = []
    numbers: list[int] = []
    lattices: list[Lattice] = []
    for angle in rotations:
        values = correlation_map(picture, turned(drawn, angle))
        place = lattice.origin if angle % 360 == 0 else _best_offset(values, lattice, half, least)
        if place is None:
            continue
        shifted = Lattice(place, lattice.vectors)
        sites = shifted.sites(half, half + np.array(values.shape) - 1)
        positions.append(np.array([_climbed(values, site - half) for site in sites]).reshape(-1, 2) + half)
        angles += [float(angle)] * len(sites)
        numbers += [len(lattices)] * len(sites)
        lattices.append(shifted)
    if not angles:
        raise ValueError("the motif repeats at none of the rotations: add 0 to them")
    return Candidates(np.vstack(positions), np.array(angles), Classes(lattices, np.array(numbers)))


def scattered_candidates(
    picture: NDArray[np.float64], drawn: NDArray[np.float64], rotations: Sequence[float], least: float
) -> Candidates:
    """Return whatever resembles the motif enough at any of the angles, each place once."""
    if not 0 < least <= 1:
        raise ValueError(f"least_correlation is {least}; it must lie between 0 and 1")
    maps = np.stack([correlation_map(picture, turned(drawn, angle)) for angle in rotations])
    best = maps.argmax(axis=0)
    found, _ = separate_peaks(maps.max(axis=0), least, APART * min(drawn.shape))
    half = (np.array(drawn.shape) - 1) / 2
    angles = np.array([float(rotations[best[tuple(place)]]) for place in found])
    return Candidates(found + half, angles, None)


def _best_offset(
    values: NDArray[np.float64], lattice: Lattice, half: NDArray[np.float64], least: float
) -> NDArray[np.float64] | None:
    """Return the centre of the strongest of the sites whose whole lattice resembles the motif, on average."""
    peaks, heights = separate_peaks(values, least, 3.0)
    if not len(peaks):
        return None
    means = []
    for peak in peaks:
        sites = np.rint(Lattice(peak.astype(np.float64), lattice.vectors).sites((0, 0), np.array(values.shape) - 1))
        means.append(float(values[tuple(sites.astype(int).T)].mean()))
    place = peaks[int(np.argmax(means))]
    return place + half if max(means) >= least and heights.size else None


def _climbed(values: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest correlation near a place, to a tenth of a pixel where it is a maximum."""
    last = np.array(values.shape) - 1
    at = np.clip(np.rint(place), 0, last).astype(int)
    low, high = np.maximum(at - NEAR, 0), np.minimum(at + NEAR, last)
    near = values[low[0] : high[0] + 1, low[1] : high[1] + 1]
    best = low + np.array(np.unravel_index(np.argmax(near), near.shape))
    inner = np.all((best > low) & (best < high))
    return peak_position(values, best) if inner else place
