"""The best grey image from scattered values."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._kriging import Covariance, krige, kriging_room
from daisy_bluesky.sampling._nearest import Cells, cells_of, find_nearest
from daisy_bluesky.sampling._reconstruction import OF_INDICATORS, SUPPORT

# From images of sharp edges to smooth ones.
COVARIANCES = (
    Covariance(smooth=0.0, smooth_length=1.0, rough_length=5.0, nugget=0.0),
    Covariance(smooth=0.3, smooth_length=1.5, rough_length=6.0, nugget=0.01),
    Covariance(smooth=0.3, smooth_length=2.0, rough_length=6.0, nugget=0.01),
    OF_INDICATORS,
    Covariance(smooth=0.95, smooth_length=4.0, rough_length=10.0, nugget=0.001),
    Covariance(smooth=0.99, smooth_length=5.0, rough_length=10.0, nugget=0.0001),
)
# So many measurements are left out, one at a time, to choose.
LEFT_OUT = 2000
# The area that a measurement stands for is the squared distance of this neighbour, up to a factor.
OF_AREA = 4


def reconstruct_values(
    shape: tuple[int, int], positions: ArrayLike, values: ArrayLike, *, covariance: Covariance | None = None
) -> NDArray[np.float64]:
    """Reconstruct a grey image by local ordinary kriging.

    Of several covariances, from that of sharp edges to that of smooth images, the one is taken that predicts
    measurements best from their neighbours when they are left out, each counted by the area that it stands for.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    positions : (n, 2) int
        Measured positions (row, column), pixels, all different; at least one.
    values : (n,) float
        What was measured there, in any unit; kept as it is.
    covariance : Covariance, optional
        How alike pixels are; chosen when omitted.

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
    cells, known = cells_of(shape, places[order]), known[order]
    _krige_values(cells, known, covariance or _best_covariance(cells, known), min(SUPPORT, len(places)), image)
    image[places[order, 0], places[order, 1]] = known
    return image


def _best_covariance(cells: Cells, values: NDArray[np.float64]) -> Covariance:
    """Return the covariance that predicts left-out values best; that of labels where they are few."""
    if len(values) <= SUPPORT:
        return OF_INDICATORS
    left_out = np.arange(0, len(values), -(-len(values) // LEFT_OUT))
    return min(COVARIANCES, key=lambda covariance: _error(cells, values, covariance, SUPPORT, left_out))


@compiled
def _error(
    cells: Cells, values: NDArray[np.float64], covariance: Covariance, k: int, left_out: NDArray[np.int64]
) -> float:
    """Return the mean absolute error of values left out, by area, predicted from their k nearest neighbours."""
    squared, nearest = np.empty(k + 1, np.int64), np.empty(k + 1, np.int64)
    room, total, areas = kriging_room(k, covariance), 0.0, 0.0
    for place in left_out:
        find_nearest(cells, cells.places[place, 0], cells.places[place, 1], squared, nearest)
        support = nearest[1:]
        krige(cells.places, support, squared[1:], covariance, room)
        area = float(squared[OF_AREA])
        total += area * abs((room.weights * values[support]).sum() - values[place])
        areas += area
    return total / areas


@compiled
def _krige_values(
    cells: Cells, values: NDArray[np.float64], covariance: Covariance, k: int, image: NDArray[np.float64]
) -> None:
    """Fill `image`, (rows, columns), with the value of every pixel, kriged from the k nearest places."""
    squared, support = np.empty(k, np.int64), np.empty(k, np.int64)
    room = kriging_room(k, covariance)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            find_nearest(cells, row, column, squared, support)
            krige(cells.places, support, squared, covariance, room)
            image[row, column] = (room.weights * values[support]).sum()
