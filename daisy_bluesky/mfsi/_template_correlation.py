"""Where an image resembles a motif."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, maximum_filter, spline_filter
from scipy.signal import fftconvolve


def turned(image: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Return an image turned about its centre by an angle, degrees; the corners that nothing reaches are NaN."""
    if angle % 360 == 0:
        return image
    if angle % 90 == 0 and image.shape[0] == image.shape[1]:
        return np.rot90(image, round(angle / 90) % 4)
    middle = (np.array(image.shape) - 1) / 2
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in image.shape), indexing="ij"), -1) - middle
    places = grid @ rotation(angle) + middle
    filtered = spline_filter(image)
    return np.asarray(
        map_coordinates(filtered, np.moveaxis(places, -1, 0), prefilter=False, mode="constant", cval=np.nan)
    )


def rotation(angle: float) -> NDArray[np.float64]:
    """Return the matrix R for which ``offset @ R`` in a motif is what ``offset`` in the motif turned by `angle` is."""
    radians = np.deg2rad(angle)
    return np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])


def correlation_map(image: NDArray[np.float64], motif: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normalised cross-correlation, from -1 to 1, of a motif with every part of an image.

    Parameters
    ----------
    image : (rows, columns) float64
        Image.
    motif : (motif rows, motif columns) float64
        Motif; NaN where it says nothing.

    Returns
    -------
    (rows - motif rows + 1, columns - motif columns + 1) float64
        Value at the place of the motif's first pixel.
    """
    known = np.isfinite(motif)
    mask, n = known.astype(np.float64), int(known.sum())
    template = np.where(known, motif - motif[known].mean(), 0.0)
    level = image - image.mean()
    sums = fftconvolve(level, mask[::-1, ::-1], mode="valid")
    squares = fftconvolve(level**2, mask[::-1, ::-1], mode="valid")
    products = fftconvolve(level, template[::-1, ::-1], mode="valid")
    spread = np.sqrt(np.maximum(squares - sums**2 / n, 0.0) * (template**2).sum())
    return np.asarray(np.divide(products, spread, out=np.zeros_like(products), where=spread > 1e-9 * spread.max()))


def separate_peaks(
    values: NDArray[np.float64], least: float, distance: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return local maxima of at least a value, the highest first, none nearer than a distance to a higher one."""
    found = np.argwhere((values == maximum_filter(values, 3)) & (values >= least))
    heights = values[tuple(found.T)]
    order = np.argsort(-heights, kind="stable")
    kept: list[int] = []
    for i in order.tolist():
        if not kept or np.min(np.linalg.norm(found[kept] - found[i], axis=1)) >= distance:
            kept.append(i)
    return found[kept], heights[kept]
