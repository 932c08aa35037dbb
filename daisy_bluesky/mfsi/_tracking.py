"""Where a frame lies as a whole: sought near where drift lets expect it, so that no lattice period is jumped."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import maximum_filter

from daisy_bluesky.mfsi._information import fit_linear, weigh
from daisy_bluesky.mfsi._reference import Spline
from daisy_bluesky.mfsi._spline import sample

AS_GOOD = 0.8  # of the highest peak: peaks a crystal's repeats can give
WORTH = 0.3  # of the highest on the pixels: peaks that may be higher between them
MOST_PEAKS = 24  # nearest ones that are looked at so
FINE = np.linspace(-0.5, 0.5, 5)  # px around each
REMEMBERED = 7  # steps from frame to frame
STEPS = 8
ENOUGH = 0.002  # px
LONGEST_STEP = 0.7  # px
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """Where a frame lies as a whole.

    Attributes
    ----------
    shift : (2,) float64
        Displacement along rows and columns, px.
    match : float
        Correlation of the frame with the reference there, -1 to 1.
    """

    shift: Array
    match: float


class DriftPrediction:
    """Predicts the next shift: the last one, and the usual drift before it, which one jump does not change."""

    def __init__(self) -> None:
        self._shift = np.zeros(2)
        self._steps: list[Array] = []
        self._since = 0

    def next(self) -> Array:
        """Return the shift expected of the next frame, (2,) float64, px."""
        drift = np.median(self._steps[-REMEMBERED:], axis=0) if self._steps else np.zeros(2)
        return np.asarray(self._shift + self._since * drift)

    def take(self, shift: Array) -> None:
        """Take in the shift of the next frame, (2,) px."""
        if self._since:
            self._steps.append((shift - self._shift) / self._since)
        self._shift, self._since = shift.copy(), 1

    def skip(self) -> None:
        """Pass over a frame whose shift is not known."""
        self._since += 1


def find_shift(image: Array, reference: Spline, predicted: Array, noise: Array, *, search: bool) -> Shift:
    """Find the shift of a frame.

    Parameters
    ----------
    image : (rows, columns) float64
        The frame.
    reference : Spline
        What it is compared with.
    predicted : (2,) float64
        The shift expected, px.
    noise : (3,) float64
        Variance of a pixel: floor, slope, least.
    search : bool
        Whether to look for the correlation peak nearest to the prediction first.

    Returns
    -------
    Shift
        The shift, by Gauss-Newton steps on the Poisson-weighted likelihood, and how well it matches.
    """
    seen, pulls, linear = np.empty((4, *image.shape)), np.empty((5, *image.shape)), np.array([1.0, 0.0])
    shift = predicted.copy()
    if search:
        _look(reference, shift, seen)
        shift = shift + nearest_peak(image, seen[0], seen[3] > 0)
    for _ in range(STEPS):
        _look(reference, shift, seen)
        fit_linear(image, seen, noise, linear)
        weigh(image, seen, linear, noise, pulls)
        step = _step(pulls)
        shift = shift + step
        if np.abs(step).max() < ENOUGH:
            break
    return Shift(shift, _match(image, seen))


def nearest_peak(image: Array, expected: Array, known: NDArray[np.bool_]) -> Array:
    """Return the shift, (2,) px, of the nearest of the `likely_shifts`; parameters as there."""
    return np.asarray(likely_shifts(image, expected, known)[0])


def likely_shifts(image: Array, expected: Array, known: NDArray[np.bool_]) -> Array:
    """Return the shifts, (n, 2) px, of the correlation's peaks within 20% of the highest, nearest first.

    Peaks are as high as they are between the pixels: on the pixels alone, those of a fine lattice that happen to lie
    on one look higher than a nearer one that does not.

    Parameters
    ----------
    image, expected : (rows, columns) float64
        A frame, and the reference where the frame is expected.
    known : (rows, columns) bool
        Where there is a reference.
    """
    shape = [next_fast_len(n, real=True) for n in image.shape]
    window = np.outer(*(np.hanning(n + 2)[1:-1] for n in image.shape))
    first = rfft2(window * (image - image.mean()), shape)
    second = rfft2(np.where(known, window * (expected - expected[known].mean()), 0.0), shape)
    spectrum = first.conj() * second
    correlation = irfft2(spectrum, s=shape)
    peaks = (correlation == maximum_filter(correlation, 3, mode="wrap")) & (correlation >= WORTH * correlation.max())
    places = np.argwhere(peaks)
    shifts = ((places + np.array(shape) // 2) % shape - np.array(shape) // 2).astype(np.float64)
    order = np.argsort((shifts**2).sum(axis=1), kind="stable")[:MOST_PEAKS]
    highest = int(np.argmax(correlation[tuple(places.T)]))
    chosen = shifts[order if highest in order else np.append(order, highest)]
    fine, heights = zip(*(_between_pixels(spectrum, shape, shift) for shift in chosen), strict=True)
    likely = np.array(fine)[np.array(heights) >= AS_GOOD * max(heights)]
    return np.asarray(likely[np.argsort((likely**2).sum(axis=1), kind="stable")])


def _between_pixels(spectrum: NDArray[np.complex128], shape: list[int], shift: Array) -> tuple[Array, float]:
    """Return the highest place, (2,) px, within half a pixel of a shift, and how high the correlation is there."""
    rows, columns = (shift[axis] + FINE for axis in (0, 1))
    twice = np.full(spectrum.shape[1], 2.0)
    twice[0] = 1.0
    if shape[1] % 2 == 0:
        twice[-1] = 1.0
    along_rows = np.exp(2j * np.pi * np.outer(rows, np.fft.fftfreq(shape[0])))
    along_columns = twice * np.exp(2j * np.pi * np.outer(columns, np.fft.rfftfreq(shape[1])))
    heights = (along_rows @ spectrum @ along_columns.T).real
    row, column = np.unravel_index(int(np.argmax(heights)), heights.shape)
    return np.array([rows[row], columns[column]]), float(heights[row, column])


def _look(reference: Spline, shift: Array, seen: Array) -> None:
    displacement = np.ascontiguousarray(np.broadcast_to(shift, (*seen.shape[1:], 2)))
    sample(reference.coefficients, reference.coverage, displacement, reference.origin, seen)


def _step(pulls: Array) -> Array:
    yy, yx, xx, y, x = pulls.sum(axis=(1, 2))
    determinant = yy * xx - yx * yx
    if not determinant > 0:
        return np.zeros(2)
    return np.asarray(np.clip(np.array([xx * y - yx * x, yy * x - yx * y]) / determinant, -LONGEST_STEP, LONGEST_STEP))


def _match(image: Array, seen: Array) -> float:
    known = seen[3] > 0
    if known.sum() < 2:
        return 0.0
    first, second = image[known] - image[known].mean(), seen[0][known] - seen[0][known].mean()
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm > 0 else 0.0
