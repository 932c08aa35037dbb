"""The best grey image from scattered values."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._reconstruction import SUPPORT, WIDE, fill_system, nearest_places, solve


def reconstruct_values(shape: tuple[int, int], positions: ArrayLike, values: ArrayLike) -> NDArray[np.float64]:
    """Reconstruct a grey image by local ordinary kriging, with the covariance of `reconstruct`.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    positions : (n, 2) int
        Measured positions (row, column), pixels, all different; at least one.
    values : (n,) float
        What was measured there, in any unit; kept as it is.

    Returns
    -------
    (rows, columns) float64
        In the unit of the values.

    Raises
    ------
    ValueError
        If positions and values do not match, a value is not finite, or positions lie outside the field or are none.
    """
    places = np.asarray(positions, np.int64).reshape(-1, 2)
    known = np.asarray(values, np.float64).ravel()
    if len(places) != len(known) or len(known) == 0:
        raise ValueError(f"values: {len(known)} for {len(places)} positions; give one each, and at least one")
    if not np.isfinite(known).all():
        raise ValueError("values must be finite")
    if places.min() < 0 or (places >= np.array(shape)).any():
        raise ValueError(f"positions must lie inside the field of {shape[0]} x {shape[1]} pixels")
    distance, nearest = nearest_places(shape, places, min(SUPPORT, len(places)))
    image = np.empty(shape[0] * shape[1])
    _krige_values(shape[1], places, known, nearest, distance[:, -1], image)
    image.reshape(shape)[places[:, 0], places[:, 1]] = known
    return image.reshape(shape)


@compiled
def _krige_values(
    columns: int,
    places: NDArray[np.int64],
    values: NDArray[np.float64],
    nearest: NDArray[np.int64],
    farthest: NDArray[np.float64],
    image: NDArray[np.float64],
) -> None:
    """Fill `image`, (pixels,), with the kriged value of every pixel."""
    k = nearest.shape[1]
    matrix, weights, ones = np.empty((k, k)), np.empty(k), np.empty(k)
    for pixel in range(len(image)):
        support = nearest[pixel]
        fill_system(
            places, support, pixel // columns, pixel % columns, max(1.0, farthest[pixel] / WIDE), matrix, weights
        )
        ones[:] = 1.0
        solve(matrix, weights, ones)
        image[pixel] = (weights * values[support]).sum()
