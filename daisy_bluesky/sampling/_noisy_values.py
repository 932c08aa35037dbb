"""The best grey image from scattered values that carry noise, and how far it can be believed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._reconstruction import nearest_places

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0)  # of the covariance that are tried, pixels
FEWEST, MOST = 16, 48  # values that a pixel is predicted from
LOOKED_AT = 400  # values left out in turn to choose the length
LEAST_NOISE = 1e-3  # over the variance of the image: the rest of a pixel that its centre does not tell


def reconstruct_noisy(
    shape: tuple[int, int], positions: ArrayLike, values: ArrayLike, variances: ArrayLike
) -> tuple[Floats, Floats]:
    """Reconstruct a grey image from noisy values by local ordinary kriging; dense rasters are denoised the same way.

    The covariance is exponential, as that of areas with sharp borders. Its height is the variance of the values beyond
    their noise; its length is the one, of some powers of 2, under which values that are left out are best predicted.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    positions : (n, 2) int
        Measured positions (row, column), pixels, all different; at least one.
    values : (n,) float
        What was measured there, in any unit.
    variances : (n,) float
        Variances of the values, in that unit squared.

    Returns
    -------
    image, variance : (rows, columns) float64
        The image in the unit of the values, and its variance.

    Raises
    ------
    ValueError
        If positions, values and variances do not match, a number is not finite, a variance is negative, or positions
        lie outside the field or are none.

    References
    ----------
    N. Cressie, Statistics for Spatial Data (1993), section 3.2 (ordinary kriging, with measurement error).
    """
    places = np.asarray(positions, np.int64).reshape(-1, 2)
    known, noise = (np.asarray(array, np.float64).ravel() for array in (values, variances))
    if not len(places) == len(known) == len(noise) > 0:
        raise ValueError(
            f"values: {len(known)} values, {len(noise)} variances, {len(places)} positions; give one each"
        )
    if not (np.isfinite(known).all() and np.isfinite(noise).all() and (noise >= 0).all()):
        raise ValueError("values and variances must be finite, and variances not negative")
    if places.min() < 0 or (places >= np.array(shape)).any():
        raise ValueError(f"positions must lie inside the field of {shape[0]} x {shape[1]} pixels")
    height = max(float(known.var() - noise.mean()), 1e-6 * float(known.var()))
    if height == 0:
        return np.full(shape, known[0]), np.full(shape, float(noise.mean()))
    relative = np.maximum(noise / height, LEAST_NOISE)
    support = min(int(np.clip(FEWEST * (1 + relative.mean()), FEWEST, MOST)), len(places))
    _, nearest = nearest_places(shape, places, support)
    length = _best_length(shape, places, known, height, relative, nearest)
    image, variance = np.empty(shape[0] * shape[1]), np.empty(shape[0] * shape[1])
    targets = np.indices(shape).reshape(2, -1).T.astype(np.int64)
    krige_noisy(targets, places, known, relative, nearest, length, image, variance)
    return image.reshape(shape), height * variance.reshape(shape)


def _best_length(
    shape: tuple[int, int], places: Integers, values: Floats, height: float, relative: Floats, nearest: Integers
) -> float:
    """Return the length under which values that are left out are most likely."""
    if nearest.shape[1] < 3:
        return LENGTHS[0]
    looked_at = np.unique(np.linspace(0, len(places) - 1, min(LOOKED_AT, len(places))).astype(np.int64))
    targets = places[looked_at]
    others = nearest[targets[:, 0] * shape[1] + targets[:, 1]]
    others = np.array([row[row != own][: others.shape[1] - 1] for row, own in zip(others, looked_at, strict=True)])
    image, variance = np.empty(len(targets)), np.empty(len(targets))
    best, likeliest = LENGTHS[0], -np.inf
    for length in LENGTHS:
        krige_noisy(targets, places, values, relative, others, length, image, variance)
        spread = height * (variance + relative[looked_at])
        likelihood = float(-(np.log(spread) + (values[looked_at] - image) ** 2 / spread).sum())
        if likelihood > likeliest:
            best, likeliest = length, likelihood
    return best


@compiled
def krige_noisy(
    targets: Integers,
    places: Integers,
    values: Floats,
    relative: Floats,
    nearest: Integers,
    length: float,
    image: Floats,
    variance: Floats,
) -> None:
    """Fill `image` and `variance`, (targets,), the latter over that of the field.

    Parameters
    ----------
    targets, places : (n, 2), (m, 2) int64
        Where to predict, and where was measured, pixels.
    values, relative : (m,) float64
        Measured values, and their variances over that of the field.
    nearest : (n, k) int64
        Which measurements each prediction rests on.
    length : float
        Length of the exponential covariance, pixels.
    image, variance : (n,) float64
        The result.
    """
    k = nearest.shape[1]
    matrix, sides = np.empty((k, k)), np.empty((k, 2))
    for target in range(len(targets)):
        for one in range(k):
            row, column = places[nearest[target, one]]
            for two in range(one + 1):
                apart = np.hypot(row - places[nearest[target, two], 0], column - places[nearest[target, two], 1])
                matrix[one, two] = matrix[two, one] = np.exp(-apart / length)
            matrix[one, one] += relative[nearest[target, one]]
            sides[one, 0] = np.exp(-np.hypot(row - targets[target, 0], column - targets[target, 1]) / length)
            sides[one, 1] = 1.0
        solved = np.linalg.solve(matrix, sides)
        mean = (1.0 - solved[:, 0].sum()) / solved[:, 1].sum()
        weights = solved[:, 0] + mean * solved[:, 1]
        image[target] = (weights * values[nearest[target]]).sum()
        variance[target] = max(1.0 - (weights * sides[:, 0]).sum() + mean, 0.0)
