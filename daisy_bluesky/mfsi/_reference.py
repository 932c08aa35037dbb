"""The running mean of aligned frames, as a spline that reaches as far as the frames have drifted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import minimum_filter, uniform_filter

from daisy_bluesky.mfsi._spline import splat

MARGIN = 12  # px around the frames
FEWEST = 0.3  # of a frame that must stand behind a knot
STANDS_OUT = 8.0  # times the power of noise, below which nothing of a frequency is kept
_EDGE = 3  # px around a place that must be known
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spline:
    """A reference image, to be read between its pixels.

    Attributes
    ----------
    coefficients : (height, width) float64
        Cubic spline coefficients.
    coverage : (height, width) float64
        Frames behind each of them and its neighbours; zero where too little is known.
    origin : (2,) float64
        Where the common frame's origin lies on the canvas.
    """

    coefficients: Array
    coverage: Array
    origin: Array


class Reference:
    """Sum of aligned frames and of their exposure, on a canvas that grows with the drift.

    Parameters
    ----------
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.origin = np.full(2, float(MARGIN))
        size = (next_fast_len(shape[0] + 2 * MARGIN, real=True), next_fast_len(shape[1] + 2 * MARGIN, real=True))
        self.total = np.zeros(size)
        self.coverage = np.zeros(size)
        self.frames = 0

    def add(self, image: Array, displacement: Array) -> None:
        """Add a frame, (rows, columns), with its displacement, (rows, columns, 2) px; the canvas grows to hold it."""
        self._make_room(displacement)
        splat(image, displacement, self.origin, 1.0, self.total, self.coverage)
        self.frames += 1

    def spline(self, noise: float, without: tuple[Array, Array] | None = None) -> Spline:
        """Return the mean image, filtered by what in it stands out from noise.

        Parameters
        ----------
        noise : float
            Variance of a pixel of a frame.
        without : (image, displacement), optional
            A frame to leave out that has been added.

        Returns
        -------
        Spline
            The mean as a spline.
        """
        total, coverage = self.total, self.coverage
        if without is not None:
            total, coverage = total.copy(), coverage.copy()
            splat(*without, self.origin, -1.0, total, coverage)
        known = coverage > FEWEST
        level = float(total[known].sum() / coverage[known].sum()) if known.any() else 0.0
        mean = np.where(known, total / np.where(known, coverage, 1.0), level) - level
        typical = float(coverage[known].mean()) if known.any() else 1.0
        around = minimum_filter(np.where(known, coverage, 0.0), _EDGE)
        return Spline(_fitted(mean, noise / typical, known) + level, around, self.origin)

    def _make_room(self, displacement: Array) -> None:
        low = self.origin + displacement.min(axis=(0, 1)) - MARGIN / 2
        high = self.origin + displacement.max(axis=(0, 1)) + self.shape + MARGIN / 2
        before = np.maximum(0, np.ceil(MARGIN - low)).astype(int) * (low < 0)
        after = np.maximum(0, np.ceil(high + MARGIN - self.total.shape)).astype(int) * (high > self.total.shape)
        if not (before.any() or after.any()):
            return
        size = [next_fast_len(int(n), real=True) for n in before + self.total.shape + after]
        place = tuple(slice(b, b + n) for b, n in zip(before, self.total.shape, strict=True))
        for name in ("total", "coverage"):
            larger = np.zeros(size)
            larger[place] = getattr(self, name)
            setattr(self, name, larger)
        self.origin = self.origin + before


def _fitted(mean: Array, noise: float, known: NDArray[np.bool_]) -> Array:
    """Return the coefficients whose spline, spread by the spline again, is `mean`, without what is only noise.

    Splines read at places spread evenly between the pixels and summed back answer with the B-spline of degree 7.
    """
    blur = np.outer(_degree_seven(mean.shape[0], False), _degree_seven(mean.shape[1], True))
    spectrum = rfft2(mean)
    kept = _kept(np.abs(spectrum) ** 2, noise * known.sum() * blur)
    return np.asarray(irfft2(spectrum * kept / blur, s=mean.shape))


def _degree_seven(size: int, half: bool) -> Array:
    frequency = 2 * np.pi * (np.arange(size // 2 + 1) if half else np.fft.fftfreq(size, 1 / size)) / size
    return np.asarray(
        (2416 + 2382 * np.cos(frequency) + 240 * np.cos(2 * frequency) + 2 * np.cos(3 * frequency)) / 5040
    )


def _kept(power: Array, expected: Array) -> Array:
    """Return the gain of each frequency, from none where it is like noise to one where it is far above.

    A reference that is too smooth costs little precision; noise in it draws frames to where splines smooth it most.
    """
    near = uniform_filter(power, 5, mode=("wrap", "nearest"))
    return np.asarray(np.clip(1 - STANDS_OUT * expected / np.maximum(near, 1e-30), 0.0, 1.0))
