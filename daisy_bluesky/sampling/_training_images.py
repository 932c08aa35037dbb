"""Generic phase maps to train on: straight lines, grains, spheres, dendrites and fine inclusions."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

LabelMap = NDArray[np.int64]


def training_images(side: int, seed: int) -> list[LabelMap]:
    """Return one map of every kind.

    Parameters
    ----------
    side : int
        Rows and columns of each map, pixels.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    list of (side, side) int64
        Labels from 1.
    """
    rng = np.random.default_rng(seed)
    return [kind(side, rng) for kind in (lines, grains, spheres, dendrites, fields, inclusions)]


def lines(side: int, rng: np.random.Generator) -> LabelMap:
    """Return half-planes and bands with straight edges, the training base of DAISY, (side, side) int64.

    References
    ----------
    Hujsak, Roth and Dravid 2018 (DAISY): "a crude, 'weakly informative' training database composed entirely of
    straight lines".
    """
    labels = np.ones((side, side), np.int64)
    for number in range(8):
        across = _distance_to_random_line(side, rng)
        width = side / 8 if number < 2 else side * rng.uniform(0.008, 0.06)
        labels[np.abs(across) < width] = rng.integers(1, 4)
    return labels


def grains(side: int, rng: np.random.Generator) -> LabelMap:
    """Return Voronoi grains of three phases with small discs of a fourth, (side, side) int64."""
    seeds = rng.random((40, 2)) * side
    _, grain = KDTree(seeds).query(_grid(side))
    labels = rng.integers(1, 4, len(seeds))[grain].reshape(side, side)
    return _with_discs(labels.astype(np.int64), 20, side / 100, side / 30, 4, rng)


def spheres(side: int, rng: np.random.Generator) -> LabelMap:
    """Return discs of many sizes in a matrix, (side, side) int64."""
    labels = _with_discs(np.ones((side, side), np.int64), 12, side / 24, side / 9, 2, rng)
    return _with_discs(labels, 40, side / 90, side / 30, 2, rng)


def dendrites(side: int, rng: np.random.Generator) -> LabelMap:
    """Return rounded bodies with lobed outlines and small ones between them, (side, side) int64."""
    rows, columns = np.indices((side, side), np.float64)
    labels = np.ones((side, side), np.int64)
    for radius in (*rng.uniform(side / 10, side / 4, 6), *rng.uniform(side / 40, side / 16, 30)):
        row, column = rng.random(2) * side
        angle = np.arctan2(rows - row, columns - column)
        lobes = rng.integers(3, 13, 3)
        outline = sum(np.cos(n * angle + rng.uniform(0, 2 * np.pi)) * rng.uniform(0, 0.15) for n in lobes)
        stretch = np.hypot(rows - row, (columns - column) * rng.uniform(0.7, 1.4))
        labels[stretch < radius * (1 + outline)] = 2
    return labels


def fields(side: int, rng: np.random.Generator) -> LabelMap:
    """Return a smooth random field cut at a level, (side, side) int64."""
    smooth = ndimage.gaussian_filter(rng.standard_normal((side, side)), side / rng.uniform(28, 48), mode="wrap")
    return (smooth > np.quantile(smooth, rng.uniform(0.5, 0.75))).astype(np.int64) + 1


def inclusions(side: int, rng: np.random.Generator) -> LabelMap:
    """Return two layers with thin streaks and specks of other phases, (side, side) int64."""
    boundary = _distance_to_random_line(side, rng)
    wavy = ndimage.gaussian_filter(rng.standard_normal((side, side)), side / 20, mode="wrap")
    labels = np.where(boundary + 4 * wavy / wavy.std() > 0, 2, 4).astype(np.int64)
    streaks = ndimage.gaussian_filter(rng.standard_normal((side, side)), (side / 100, side / 25), mode="wrap")
    specks = ndimage.gaussian_filter(rng.standard_normal((side, side)), side / 90, mode="wrap")
    labels[(streaks > np.quantile(streaks, 0.93)) & (labels == 4)] = 3
    labels[(specks > np.quantile(specks, 0.95)) & (labels == 2)] = 1
    return labels


def _distance_to_random_line(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the signed distance of every pixel to a random straight line, (side, side) float64, pixels."""
    angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.35, 0.35) * side
    rows, columns = np.indices((side, side)) - (side - 1) / 2
    return np.asarray(rows * np.sin(angle) + columns * np.cos(angle) - offset)


def _with_discs(
    labels: LabelMap, number: int, smallest: float, largest: float, phase: int, rng: np.random.Generator
) -> LabelMap:
    """Return a map with discs of a phase put into it, radii in pixels."""
    rows, columns = np.indices(labels.shape)
    for _ in range(number):
        row, column = rng.random(2) * labels.shape
        labels[np.hypot(rows - row, columns - column) < rng.uniform(smallest, largest)] = phase
    return labels


def _grid(side: int) -> NDArray[np.int64]:
    """Return the positions of all pixels, (side * side, 2) int64."""
    return np.indices((side, side)).reshape(2, -1).T
