"""Static sampling patterns: where to measure when nothing is decided on the way."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from daisy_bluesky.sampling._argument_checks import check_seed

__all__ = ["halton", "jittered", "line_hop", "random", "raster", "sobol"]

Shape = tuple[int, int]
Positions = NDArray[np.int64]


def number_of_points(shape: Shape, fraction: float) -> int:
    """Return how many pixels a fraction of a field is, at least 1.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    fraction : float
        Part of the pixels, above 0 and at most 1; a whole number above 1 is their number.

    Raises
    ------
    ValueError
        If the field is empty or the fraction is none.
    """
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"shape must be two positive numbers of pixels, not {shape}")
    pixels = shape[0] * shape[1]
    if 0 < fraction <= 1:
        return max(1, round(fraction * pixels))
    if not 1 < fraction <= pixels or fraction != int(fraction):
        raise ValueError(f"fraction must lie in (0, 1] or be a number of pixels up to {pixels}, not {fraction}")
    return int(fraction)


def raster(shape: Shape, fraction: float, seed: int = 0) -> Positions:
    """Return a uniform grid, row by row.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    fraction : float
        Part of the pixels, in (0, 1]; a whole number above 1 is their number.
    seed : int
        Without effect; taken so that every pattern is called alike.

    Returns
    -------
    (n, 2) int64
        Positions (row, column), pixels; lines and the points of a line evenly spaced. Lines differ by one point where
        n is not a multiple of their number.

    Raises
    ------
    ValueError
        If the field is empty or the fraction is none.
    """
    del seed
    per_line = _points_per_line(shape, number_of_points(shape, fraction))
    rows = np.floor((np.arange(len(per_line)) + 0.5) * shape[0] / len(per_line))
    columns = [np.floor((np.arange(count) + 0.5) * shape[1] / count) for count in per_line]
    return np.stack([np.repeat(rows, per_line), np.concatenate(columns)], axis=1).astype(np.int64)


def random(shape: Shape, fraction: float, seed: int = 0) -> Positions:
    """Return uniformly random positions, in random order.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    fraction : float
        Part of the pixels, in (0, 1]; a whole number above 1 is their number.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    (n, 2) int64
        Positions (row, column), pixels, all different.

    Raises
    ------
    ValueError
        If the field is empty, the fraction is none, or the seed is not a whole number from 0 up.
    """
    check_seed(seed)
    n = number_of_points(shape, fraction)
    return _positions(np.random.default_rng(seed).permutation(shape[0] * shape[1])[:n], shape)


def jittered(shape: Shape, fraction: float, seed: int = 0) -> Positions:
    """Return one random position in each of n nearly equal cells, row by row.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    fraction : float
        Part of the pixels, in (0, 1]; a whole number above 1 is their number.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    (n, 2) int64
        Positions (row, column), pixels, all different.

    Raises
    ------
    ValueError
        If the field is empty, the fraction is none, or the seed is not a whole number from 0 up.
    """
    check_seed(seed)
    rng = np.random.default_rng(seed)
    found = []
    for top, bottom, edges in _bands(shape, number_of_points(shape, fraction)):
        rows = rng.integers(top, bottom, len(edges) - 1)
        found.append(np.stack([rows, rng.integers(edges[:-1], edges[1:])], axis=1))
    return np.concatenate(found)


def line_hop(shape: Shape, fraction: float, seed: int = 0) -> Positions:
    """Return lines along which the probe hops at random across a band, at even steps along it; band by band.

    Isotropic: steps are as long as bands are high. The coils of the fast direction see an even pace, as in a raster,
    which short hops across it hardly disturb.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    fraction : float
        Part of the pixels, in (0, 1]; a whole number above 1 is their number.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    (n, 2) int64
        Positions (row, column), pixels, all different; within a band in the order of columns.

    Raises
    ------
    ValueError
        If the field is empty, the fraction is none, or the seed is not a whole number from 0 up.

    References
    ----------
    L. Kovarik, A. Stevens, A. Liyu and N. D. Browning, "Implementing an accurate and rapid sparse sampling approach
    for low-dose atomic resolution STEM imaging", Appl. Phys. Lett. 109, 164102 (2016): line hopping.
    """
    check_seed(seed)
    rng = np.random.default_rng(seed)
    found = []
    for top, bottom, edges in _bands(shape, number_of_points(shape, fraction)):
        rows = rng.integers(top, bottom, len(edges) - 1)
        found.append(np.stack([rows, (edges[:-1] + edges[1:] - 1) // 2], axis=1))
    return np.concatenate(found)


def sobol(shape: Shape, fraction: float, seed: int = 0) -> Positions:
    """Return positions of a scrambled Sobol' sequence: evenly spread however early it is stopped.

    Pixels that the sequence does not reach in time follow in random order.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    fraction : float
        Part of the pixels, in (0, 1]; a whole number above 1 is their number.
    seed : int
        Seed of the scrambling.

    Returns
    -------
    (n, 2) int64
        Positions (row, column), pixels, all different, in the order of the sequence.

    Raises
    ------
    ValueError
        If the field is empty, the fraction is none, or the seed is not a whole number from 0 up.

    References
    ----------
    I. M. Sobol', "On the distribution of points in a cube and the approximate evaluation of integrals" (1967);
    low-discrepancy sampling is what EDS-SLADS (Zhang et al. 2018) names beside random sampling.
    """
    check_seed(seed)
    n = number_of_points(shape, fraction)
    powers = int(np.ceil(np.log2(2 * n))) + (n > shape[0] * shape[1] // 2)
    return _first_pixels(qmc.Sobol(2, seed=seed).random_base2(powers), shape, n, seed)


def halton(shape: Shape, fraction: float, seed: int = 0) -> Positions:
    """Return positions of a scrambled Halton sequence: evenly spread however early it is stopped.

    Pixels that the sequence does not reach in time follow in random order.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    fraction : float
        Part of the pixels, in (0, 1]; a whole number above 1 is their number.
    seed : int
        Seed of the scrambling.

    Returns
    -------
    (n, 2) int64
        Positions (row, column), pixels, all different, in the order of the sequence.

    Raises
    ------
    ValueError
        If the field is empty, the fraction is none, or the seed is not a whole number from 0 up.

    References
    ----------
    J. H. Halton, "On the efficiency of certain quasi-random sequences of points in evaluating multi-dimensional
    integrals", Numer. Math. 2, 84 (1960).
    """
    check_seed(seed)
    n = number_of_points(shape, fraction)
    return _first_pixels(qmc.Halton(2, seed=seed).random(2 * n), shape, n, seed)


def _first_pixels(points: NDArray[np.float64], shape: Shape, n: int, seed: int) -> Positions:
    """Return the first n pixels that points of the unit square fall into, then others in random order, (n, 2) int64.

    Several points fall into one pixel; twice as many as pixels are wanted are nearly always enough.
    """
    cells = np.floor(points * np.array(shape)).astype(np.int64)
    found = _first_of_each(cells[:, 0] * shape[1] + cells[:, 1])
    if len(found) < n:
        found = _first_of_each(np.concatenate([found, np.random.default_rng(seed).permutation(shape[0] * shape[1])]))
    return _positions(found[:n], shape)


def _bands(shape: Shape, n: int) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Yield bands of a field cut into n nearly equal cells: first row, row past the last, edges of its columns."""
    per_line = _points_per_line(shape, n)
    tops = np.linspace(0, shape[0], len(per_line) + 1).astype(np.int64)
    for top, bottom, count in zip(tops[:-1], tops[1:], per_line, strict=True):
        yield int(top), int(bottom), np.linspace(0, shape[1], count + 1).astype(np.int64)


def _points_per_line(shape: Shape, n: int) -> NDArray[np.int64]:
    """Return how n points spread over evenly spaced lines, as many lines as make the grid nearly square."""
    lines = round(np.sqrt(n * shape[0] / shape[1]))
    lines = min(max(lines, -(-n // shape[1]), 1), shape[0], n)
    return np.asarray(np.diff(np.round(np.linspace(0, n, lines + 1))), np.int64)


def _first_of_each(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct pixel numbers in the order of their first appearance."""
    return pixels[np.sort(np.unique(pixels, return_index=True)[1])]


def _positions(pixels: NDArray[np.int64], shape: Shape) -> Positions:
    """Return pixel numbers as (row, column)."""
    return np.stack([pixels // shape[1], pixels % shape[1]], axis=1)
