"""The translations that take a periodic image into itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

SURE = 6.0  # standard errors by which some translations must be better than others to be the only true ones
LEAST_DIFFERENCE = 0.002  # of correlations: what reading them between pixels may make up, and no kind of column
FEWEST = 12  # translations of either kind needed to tell
SUPERLATTICES = tuple(
    np.array(multiples) for n in (2, 3) for multiples in ([[1, 0], [0, n]], *([[n, 0], [k, 1]] for k in range(n)))
)
SHORTEST = 3.0  # px; nearer to the origin an autocorrelation shows the columns themselves
LEAST_PERIODIC = 0.1  # of the variance of the image that its translations must explain
LEAST_ANGLE = 0.3  # sine of the angle between lattice vectors


@dataclass(frozen=True)
class Lattice:
    """A plane lattice.

    Attributes
    ----------
    origin : (2,) float64
        Row and column of one of its sites, pixels.
    vectors : (2, 2) float64
        Its vectors, one a row: rows and columns, pixels.
    """

    origin: NDArray[np.float64]
    vectors: NDArray[np.float64]

    def indices(self, positions: ArrayLike) -> NDArray[np.int64]:
        """Return the whole multiples of the vectors nearest to positions, (n, 2)."""
        relative = (np.asarray(positions, dtype=np.float64) - self.origin) @ np.linalg.inv(self.vectors)
        return np.asarray(np.rint(relative), dtype=np.int64)

    def residuals(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Return how far positions lie from their nearest site, (n, 2) pixels."""
        places = np.asarray(positions, dtype=np.float64)
        return np.asarray(places - self.origin - self.indices(places) @ self.vectors)

    def sites(self, low: ArrayLike, high: ArrayLike) -> NDArray[np.float64]:
        """Return the sites between two corners, (n, 2) pixels, by rising row."""
        first, last = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        corners = np.array([[r, c] for r in (first[0], last[0]) for c in (first[1], last[1])])
        reach = (corners - self.origin) @ np.linalg.inv(self.vectors)
        ranges = [np.arange(np.floor(m), np.ceil(n) + 1) for m, n in zip(reach.min(0), reach.max(0), strict=True)]
        numbers = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 2)
        places = self.origin + numbers @ self.vectors
        inside = np.all((places >= first) & (places <= last), axis=1)
        return np.asarray(places[inside][np.lexsort(places[inside].T[::-1])])

    def fitted(self, positions: ArrayLike, weights: ArrayLike | None = None) -> "Lattice":
        """Return the lattice that fits measured sites best, by least squares.

        Parameters
        ----------
        positions : array_like, (n, 2)
            Measured sites, pixels, within half a lattice vector of this lattice.
        weights : array_like, (n,), optional
            Weight of each.
        """
        places = np.asarray(positions, dtype=np.float64)
        root = np.sqrt(np.ones(len(places)) if weights is None else np.asarray(weights, dtype=np.float64))[:, None]
        design = np.column_stack([np.ones(len(places)), self.indices(places)])
        if np.linalg.matrix_rank(design * root) < 3:
            return self
        solution = np.linalg.lstsq(design * root, places * root, rcond=None)[0]
        return Lattice(solution[0], solution[1:])


def find_lattice(image: ArrayLike, *, similarity: float = 0.9) -> Lattice:
    """Find the shortest translations that take an image into itself.

    Correlating the whole image with itself tells true translations from those that only take one kind of column to
    another, which a single motif cannot.

    Parameters
    ----------
    image : array_like, (rows, columns)
        Sum image.
    similarity : float, optional
        How much of the highest correlation, from 0 to 1, another translation must reach to count as one of the
        lattice.

    Returns
    -------
    Lattice
        With its origin at the middle of the image; motifs decide where sites lie.

    Raises
    ------
    ValueError
        If the image is no image, or is not periodic in two directions.
    """
    picture = checked_image(image)
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity is {similarity}; it must lie between 0 and 1")
    correlation, middle = _autocorrelation(picture)
    lags, heights = _peaks(correlation, middle)
    enough = heights > similarity * heights.max(initial=0.0)
    if heights.max(initial=0.0) < LEAST_PERIODIC * correlation[tuple(middle)] or not enough.any():
        raise ValueError("image is not periodic: look for repeats with periodic=False")
    vectors = _shortest(lags[enough])
    origin = (np.array(picture.shape) - 1) / 2
    lattice = Lattice(np.zeros(2), vectors)
    for reach in (2.5, 5.0, np.inf):  # vectors become precise by what lies ever farther
        near = lags[np.linalg.norm(lags, axis=1) < reach * np.linalg.norm(vectors, axis=1).max()]
        near = near[_on_lattice(lattice.vectors, near)]
        lattice = Lattice(np.zeros(2), lattice.fitted(np.vstack([near, -near])).vectors)
    return Lattice(origin, _true_translations(lattice.vectors, correlation, middle))


def checked_image(image: ArrayLike) -> NDArray[np.float64]:
    """Return an image as finite numbers, (rows, columns), or say what is wrong with it."""
    picture = np.asarray(image, dtype=np.float64)
    if picture.ndim != 2 or min(picture.shape) < 8:
        raise ValueError(f"image has shape {picture.shape}; at least 8 x 8 pixels are needed")
    if not np.isfinite(picture).all():
        raise ValueError("image holds NaN or infinity: cut it to the common area first")
    if picture.min() == picture.max():
        raise ValueError("image is blank: every pixel has the same value")
    return picture


def _autocorrelation(picture: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the correlation coefficient of an image with itself by lag, up to half of it, and where lag 0 lies."""
    flat = picture - gaussian_filter(picture, min(picture.shape) / 8, mode="nearest")
    shape = [next_fast_len(2 * n) for n in picture.shape]
    image, energy, inside = (rfft2(part, shape) for part in (flat, flat**2, np.ones_like(flat)))
    products = irfft2(np.abs(image) ** 2, shape)
    one, other = irfft2(energy * inside.conj(), shape), irfft2(energy.conj() * inside, shape)
    spread = np.sqrt(np.maximum(one, 0) * np.maximum(other, 0))
    correlation = np.fft.fftshift(
        np.divide(products, spread, out=np.zeros_like(products), where=spread > 1e-9 * one.max())
    )
    middle = np.array(shape) // 2
    reach = np.array(picture.shape) // 2
    first, last = middle - reach, middle + reach + 1
    return correlation[first[0] : last[0], first[1] : last[1]], reach.astype(np.int64)


def _peaks(
    correlation: NDArray[np.float64], middle: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lags of the local maxima of one half plane, to a fraction of a pixel, and their heights."""
    found = np.argwhere(correlation == maximum_filter(correlation, 5))
    inside = np.all((found > 0) & (found < np.array(correlation.shape) - 1), axis=1)
    lags = found[inside] - middle
    half = ((lags[:, 0] > 0) | ((lags[:, 0] == 0) & (lags[:, 1] > 0))) & (np.linalg.norm(lags, axis=1) >= SHORTEST)
    places = lags[half] + middle
    heights = correlation[tuple(places.T)]
    return np.array([peak_position(correlation, place) for place in places]).reshape(-1, 2) - middle, heights


def peak_position(values: NDArray[np.float64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where the parabolas through a local maximum and its neighbours have theirs, (2,) pixels."""
    r, c = int(place[0]), int(place[1])
    along = ((values[r - 1, c], values[r + 1, c]), (values[r, c - 1], values[r, c + 1]))
    curved = [before + after - 2 * values[r, c] for before, after in along]
    steps = [(b - a) / (2 * k) if k < 0 else 0.0 for (a, b), k in zip(along, curved, strict=True)]
    return np.asarray(place - np.clip(steps, -0.5, 0.5))


def _true_translations(
    vectors: NDArray[np.float64], correlation: NDArray[np.float64], middle: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Leave out translations that take one kind of column to a similar one: correlations tell, all taken together."""
    lags = Lattice(np.zeros(2), vectors).sites(-0.8 * middle, 0.8 * middle)
    lags = lags[(lags[:, 0] > 0) | ((lags[:, 0] == 0) & (lags[:, 1] > 0))]
    level = map_coordinates(correlation, (lags + middle).T, order=5)
    while True:
        better = max(SUPERLATTICES, key=lambda multiples: _advantage(multiples @ vectors, lags, level))
        if _advantage(better @ vectors, lags, level) < SURE:
            return vectors
        vectors = _reduced(better @ vectors)
        still = _on_lattice(vectors, lags)
        lags, level = lags[still], level[still]


def _advantage(vectors: NDArray[np.float64], lags: NDArray[np.float64], level: NDArray[np.float64]) -> float:
    """Return by how many standard errors translations of a lattice correlate better than the others."""
    kept = _on_lattice(vectors, lags)
    if min(kept.sum(), (~kept).sum()) < FEWEST:
        return 0.0
    parts = (level[kept], level[~kept])
    error, difference = np.sqrt(sum(part.var() / part.size for part in parts)), parts[0].mean() - parts[1].mean()
    return float(difference / max(float(error), 1e-30)) if difference > LEAST_DIFFERENCE else 0.0


def _on_lattice(vectors: NDArray[np.float64], lags: NDArray[np.float64]) -> NDArray[np.bool_]:
    apart = np.linalg.norm(Lattice(np.zeros(2), vectors).residuals(lags), axis=1)
    return np.asarray(apart < 0.15 * np.linalg.norm(vectors, axis=1).min())


def _reduced(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shortest vectors of a lattice (Gauss)."""
    short, long = sorted(vectors, key=lambda vector: float(vector @ vector))
    while True:
        long = long - np.rint((long @ short) / (short @ short)) * short
        if long @ long >= short @ short:
            return np.stack([short, long])
        short, long = long, short


def _shortest(lags: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = lags[np.argsort(np.linalg.norm(lags, axis=1))]
    first = ordered[0]
    sines = np.abs(first[0] * ordered[:, 1] - first[1] * ordered[:, 0]) / (
        np.linalg.norm(first) * np.linalg.norm(ordered, axis=1)
    )
    across = ordered[sines > LEAST_ANGLE]
    if not len(across):
        raise ValueError("image is periodic in one direction only: look for repeats with periodic=False")
    return np.stack([first, across[0]])
