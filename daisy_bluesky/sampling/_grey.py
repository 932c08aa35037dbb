"""The best grey image from scattered values."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._nearest import Cells, cells_of, find_nearest
from daisy_bluesky.sampling._reconstruction import SUPPORT, covariance_table, krige, kriging_room


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
    image = np.empty(shape)
    order = np.lexsort((places[:, 1], places[:, 0]))
    _krige_values(cells_of(shape, places[order]), known[order], min(SUPPORT, len(places)), image)
    image[places[:, 0], places[:, 1]] = known
    return image


@compiled
def _krige_values(cells: Cells, values: NDArray[np.float64], k: int, image: NDArray[np.float64]) -> None:
    """Fill `image`, (rows, columns), with the value of every pixel, kriged from the k nearest places."""
    squared, support = np.empty(k, np.int64), np.empty(k, np.int64)
    room, table = kriging_room(k), covariance_table()
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            find_nearest(cells, row, column, squared, support)
            krige(cells.places, support, squared, room, table)
            image[row, column] = (room.weights * values[support]).sum()
