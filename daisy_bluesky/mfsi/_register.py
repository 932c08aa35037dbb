"""Registration of a whole series: the incremental one, then every frame again against the mean of all others."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._alignment import Alignment, align
from daisy_bluesky.mfsi._alignment_count import AlignmentCount, Map
from daisy_bluesky.mfsi._common_mean import CommonMean
from daisy_bluesky.mfsi._reference import FEWEST, Reference, Spline
from daisy_bluesky.mfsi._registrar import DEGREE, Registrar, placed, typical_noise
from daisy_bluesky.mfsi._registration import Registration, require_frames
from daisy_bluesky.mfsi._scan_basis import resized
from daisy_bluesky.mfsi._scan_prior import PriorLearning, ScanPrior

SHORT = 48  # frames up to which each is left out of its own reference
FEW = range(3, 17)  # frames of which two passes are made; more let a pair drift apart
Array = NDArray[np.float64]


def register(
    frames: Sequence[ArrayLike],
    *,
    degree: int = DEGREE,
    scan_fraction: float = 1.0,
    passes: int | None = None,
    mapping: Map = map,
    watch: Callable[[int, int], object] | None = None,
) -> Registration:
    """Register the frames of a series.

    Parameters
    ----------
    frames : (n, rows, columns) sequence of array_like
        The images; anything that gives one when asked for it by number, so that they need not lie in memory together.
    degree : int, optional
        Highest degree of the polynomials of the smooth distortion.
    scan_fraction : float, optional
        Part of the time from one frame to the next that is spent scanning.
    passes : int, optional
        How often all frames are aligned again with the mean of all; 1, or 2 for 3 to 16 frames, when not given.
    mapping : callable, optional
        What applies a function to each frame, like `map`; one that works in parallel gives the same result.
    watch : callable, optional
        Told after each alignment how many are done of how many.

    Returns
    -------
    Registration
        Where each frame lies.

    Raises
    ------
    ValueError
        If there are fewer than two usable frames, or they differ in shape.

    References
    ----------
    L. Jones et al., Adv. Struct. Chem. Imaging 1 (2015) 8: registration that knows how a scan distorts.
    """
    if len(frames) < 2:
        raise ValueError(f"registration needs at least two frames, and got {len(frames)}")
    registrar = Registrar(degree=degree, scan_fraction=scan_fraction)
    more = (2 if len(frames) in FEW else 1) if passes is None else passes
    aligned = AlignmentCount(watch, len(frames) * (1 + more))
    for number in range(len(frames)):
        registrar.add(frames[number])
        aligned.one_more()
    alignments = registrar.alignments
    usable = sum(alignment is not None for alignment in alignments)
    require_frames(usable, registrar.excluded)
    reference, prior = registrar.reference, registrar.prior
    for _ in range((2 if usable in FEW else 1) if passes is None else passes):
        alignments, reference, prior = refine(frames, alignments, reference, prior, aligned.watched(mapping))
    return Registration.from_alignments(alignments, prior.basis, registrar.excluded, scan_fraction, frames)


def refine(
    frames: Sequence[ArrayLike],
    alignments: Sequence[Alignment | None],
    reference: Reference,
    prior: ScanPrior,
    mapping: Map = map,
) -> tuple[list[Alignment | None], Reference, ScanPrior]:
    """Align all frames again with the mean of all; return the alignments, and the reference and prior made of them."""
    task = Realignment(reference, prior, reference.frames <= SHORT)
    numbers = [number for number, alignment in enumerate(alignments) if alignment is not None]
    starts = [alignment for alignment in alignments if alignment is not None]
    learning = PriorLearning(prior)
    common = CommonMean(reference.shape, prior.basis.degree)
    better = Reference(reference.shape)
    found = []
    aligned = mapping(task, (frames[number] for number in numbers), starts)
    for start, alignment in zip(starts, aligned, strict=True):
        learning.add(alignment.evidence)
        found.append(task.among_all(start, alignment))
        common.add(found[-1])
    placed_again: list[Alignment | None] = [None] * len(alignments)
    for number, alignment in zip(numbers, found, strict=True):
        usual = common.removed_from(alignment)
        placed_again[number] = usual
        better.add(np.ascontiguousarray(frames[number], dtype=np.float64), placed(prior.basis, usual))
    return placed_again, better, learning.prior()


class Realignment:
    """Aligns a frame with a fixed reference: a pure function of the frame and of what it was made with.

    Parameters
    ----------
    reference : Reference
        Sum of all frames.
    prior : ScanPrior
        What is known of the scan.
    leave_out : bool
        Whether the frame is taken out of the reference first.
    """

    def __init__(self, reference: Reference, prior: ScanPrior, leave_out: bool) -> None:
        self._reference, self._prior = reference, prior
        self._noise = typical_noise(prior, reference)
        self._spline = None if leave_out else _of_others(reference.spline(self._noise))

    def __call__(self, frame: ArrayLike, start: Alignment) -> Alignment:
        """Return where a frame lies that lay at `start` before."""
        image = np.ascontiguousarray(frame, dtype=np.float64)
        return align(image, self._spline_for(image, start), start, self._prior)

    def among_all(self, start: Alignment, found: Alignment) -> Alignment:
        """Return where a frame lies against the mean of all, itself included, with the error of a mean of so few.

        Frames that each go all the way to the mean of the others pass by each other: two of them would never meet.
        """
        if self._spline is not None:
            return found
        part = 1 - 1 / self._reference.frames
        before = resized(start.coefficients, len(found.coefficients))
        return replace(
            found,
            coefficients=before + part * (found.coefficients - before),
            rows=start.rows + part * (found.rows - start.rows),
            error=found.error / np.sqrt(part),
        )

    def _spline_for(self, image: Array, start: Alignment) -> Spline:
        if self._spline is not None:
            return self._spline
        return self._reference.spline(self._noise, (image, placed(self._prior.basis, start)))


def _of_others(spline: Spline) -> Spline:
    """Return a reference that no longer counts the frame itself: what it alone has seen tells it nothing."""
    others = np.maximum(spline.coverage - 1, 0.0)
    return replace(spline, coverage=np.where(others > FEWEST, others, 0.0))
