"""Registration while frames arrive, one of them in memory at a time."""

from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._alignment import Alignment, align, residual_scores, shifted
from daisy_bluesky.mfsi._common_mean import CommonMean
from daisy_bluesky.mfsi._frame_check import as_frame, fault, first_noise
from daisy_bluesky.mfsi._reference import Reference, Spline
from daisy_bluesky.mfsi._registration import Registration, require_frames
from daisy_bluesky.mfsi._scan_basis import ScanBasis, resized
from daisy_bluesky.mfsi._scan_prior import PriorLearning, ScanPrior, first_prior
from daisy_bluesky.mfsi._tracking import DriftPrediction, Shift, find_shift
from daisy_bluesky.mfsi._waves import WaveSearch

DEGREE = 8
WAVE_FRAMES = 10
WAVE_MEMORY = 2**26  # bytes
MOST_WAVES = 2
SEARCHED = 8  # frames whose shift is always searched
GOOD_MATCH = 0.9  # of the usual correlation, below which the shift is searched after all
RELATIVE_MATCH = 0.5  # of the usual correlation, below which a frame does not belong to the series
SIGNIFICANT = 5.0
Array = NDArray[np.float64]


class Registrar:
    """Registers frames one by one, each against the running mean of those before it.

    Parameters
    ----------
    degree : int, optional
        Highest degree of the polynomials of the smooth distortion.
    scan_fraction : float, optional
        Part of the time from one frame to the next that is spent scanning.

    Attributes
    ----------
    excluded : dict of int to str
        Frames that were left out, with the reason.

    Raises
    ------
    ValueError
        If the degree is below 1, or the fraction not above 0 and up to 1.
    """

    def __init__(self, *, degree: int = DEGREE, scan_fraction: float = 1.0) -> None:
        if degree < 1 or not 0 < scan_fraction <= 1:
            raise ValueError("degree must be at least 1, and scan_fraction above 0 and up to 1")
        self.excluded: dict[int, str] = {}
        self.alignments: list[Alignment | None] = []
        self._degree, self._scan_fraction = degree, scan_fraction
        self._drift = DriftPrediction()
        self._reference: Reference | None = None
        self._spline: Spline | None = None
        self._spline_frames = 0
        self._matches: list[float] = []

    def add(self, frame: ArrayLike) -> Array | None:
        """Register the next frame.

        Parameters
        ----------
        frame : (rows, columns) array_like
            The image; nothing of it is kept.

        Returns
        -------
        (rows, columns, 2) float64 or None
            Its displacement in the frame of the first one, px; None if it was left out, with the reason in `excluded`.

        Raises
        ------
        ValueError
            If it is not an image, or has another shape than the frames before it.
        """
        image = as_frame(frame, None if self._reference is None else self._reference.shape)
        reason = fault(image)
        if reason is not None:
            self._leave_out(reason)
            return None
        if self._reference is None:
            return self._begin(image)
        return self._continue(image, self._reference)

    def registration(self) -> Registration:
        """Return the registration of the frames so far.

        Raises
        ------
        ValueError
            If fewer than two frames could be used.
        """
        require_frames(sum(alignment is not None for alignment in self.alignments), self.excluded)
        return Registration.from_alignments(self.alignments, self.prior.basis, self.excluded, self._scan_fraction)

    @property
    def degree(self) -> int:
        """Highest degree of the polynomials of the smooth distortion."""
        return self._degree

    @property
    def prior(self) -> ScanPrior:
        """What the frames so far say about the scan."""
        return self._learning.prior()

    @property
    def reference(self) -> Reference:
        """Sum of the frames so far."""
        if self._reference is None:
            raise ValueError("no frame could be used yet: add frames first")
        return self._reference

    def _begin(self, image: Array) -> Array:
        self._reference = Reference((image.shape[0], image.shape[1]))
        basis = ScanBasis(self._reference.shape, self._degree)
        self._learning = PriorLearning(first_prior(basis, first_noise(image)))
        self._waves = _wave_search(image)
        self._common = CommonMean(basis.shape, basis.degree)
        self._drift.take(np.zeros(2))
        return self._take(image, shifted(self._reference.shape, np.zeros(2)))

    def _continue(self, image: Array, reference: Reference) -> Array | None:
        spline, prior = self._present_spline(reference), self._learning.prior()
        found = self._find(image, spline, prior, reference.frames)
        if not self._belongs(found.match, image.size):
            self._leave_out(f"does not match the frames before it (correlation {found.match:.2f})")
            return None
        self._matches.append(found.match)
        self._drift.take(found.shift)
        alignment = align(image, spline, shifted(reference.shape, found.shift), prior)
        if alignment.evidence is not None:
            self._learning.add(alignment.evidence)
        self._look_for_waves(image, spline, alignment, prior)
        return self._take(image, alignment)

    def _find(self, image: Array, spline: Spline, prior: ScanPrior, known: int) -> Shift:
        """Find the shift from where it is expected; search where that is not sure or does not match as usual."""
        expected = self._drift.next()
        found = find_shift(image, spline, expected, prior.noise, search=known < SEARCHED)
        if known < SEARCHED or found.match > GOOD_MATCH * self._usual_match():
            return found
        searched = find_shift(image, spline, expected, prior.noise, search=True)
        return max(found, searched, key=lambda shift: shift.match)

    def _look_for_waves(self, image: Array, spline: Spline, alignment: Alignment, prior: ScanPrior) -> None:
        if not self._waves.wants_more():
            return
        self._waves.add(*residual_scores(image, spline, alignment, prior))
        if self._waves.wants_more():
            return
        wave = self._waves.found()
        if wave is not None:
            waves = (*prior.basis.waves, wave)
            self._learning.use_waves(self._learning.prior().with_waves(waves))
            if len(waves) < MOST_WAVES:
                self._waves = _wave_search(image)

    def _take(self, image: Array, alignment: Alignment) -> Array:
        self._common.add(alignment)
        alignment = self._common.removed_from(alignment)
        displacement = placed(self.prior.basis, alignment)
        self.reference.add(image, displacement)
        self.alignments.append(alignment)
        return displacement

    def _leave_out(self, reason: str) -> None:
        self.excluded[len(self.alignments)] = reason
        self.alignments.append(None)
        self._drift.skip()

    def _belongs(self, match: float, pixels: int) -> bool:
        return match * np.sqrt(pixels) > SIGNIFICANT and match > RELATIVE_MATCH * self._usual_match()

    def _usual_match(self) -> float:
        return float(np.median(self._matches[-50:])) if self._matches else 0.0

    def _present_spline(self, reference: Reference) -> Spline:
        """Return the running mean, made anew when frames enough have been added to it to matter."""
        if self._spline is None or reference.frames >= self._spline_frames + ceil(self._spline_frames / 16):
            self._spline = reference.spline(typical_noise(self.prior, reference))
            self._spline_frames = reference.frames
        return self._spline


def _wave_search(image: Array) -> WaveSearch:
    frames = max(2, min(WAVE_FRAMES, WAVE_MEMORY // (8 * image.size)))
    return WaveSearch((image.shape[0], image.shape[1]), frames)


def placed(basis: ScanBasis, alignment: Alignment) -> Array:
    """Return the displacement, (rows, columns, 2) px, of an alignment made with this basis or one of fewer waves."""
    return basis.displacement(resized(alignment.coefficients, len(basis.degrees)), alignment.rows)


def typical_noise(prior: ScanPrior, reference: Reference) -> float:
    """Return the variance of a pixel of mean brightness."""
    level = float(reference.total.sum() / reference.coverage.sum())
    return max(float(prior.noise[0] + prior.noise[1] * level), float(prior.noise[2]))
