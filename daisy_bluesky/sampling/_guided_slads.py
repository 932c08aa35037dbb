"""Sparse dynamic sampling that heeds a survey image as far as the labels bear it out."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._evidence import Finding, Place
from daisy_bluesky.sampling._field import MASK, SHIFT
from daisy_bluesky.sampling._slads import Slads
from daisy_bluesky.sampling._survey import Survey, blocks_of, heeded_survey
from daisy_bluesky.sampling._survey_map import belief_of

FIRST_REVIEW, REVIEW_GROWTH = 64, 1.25
UNFORESEEN = 0.04  # share of labels that neighbours do not foretell, whatever they say
CERTAIN = 20.0  # nats by which a label counts more than all others
MOST_BOOST = 2.0  # more of it leads astray where an image tells little
LEAST_DOUBT = 1e-3
MEMORY = 0.02  # share of the visits after which what the maps foretold is half forgotten
Told = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


class _View(NamedTuple):
    """What a survey image that is believed comes to.

    Attributes
    ----------
    weight : float
        How far it is believed.
    labels : (rows, columns) int64
        The map.
    boost : (rows, columns) float32
        How many times more a measurement counts than without the image.
    """

    weight: float
    labels: NDArray[np.int64]
    boost: NDArray[np.float32]


class GuidedSlads(Slads):
    """`Slads` with a survey image; without one, or as long as it is not believed, the same to the bit.

    What a grey value says about the labels is learned from measured pixels and put to the proof on others, as `Survey`
    does it. From then on the map is what labels, grey values and a Potts prior say together, and pixels are measured
    rather where that is in doubt. Where the map without the image foretells the latest labels better, beyond chance,
    it is the one that counts. The estimate of the remaining distortion is that of the map without the image, and too
    large where the image is believed.

    Parameters are those of `Slads`.
    """

    def __init__(self, shape: tuple[int, int], **given: Any) -> None:
        super().__init__(shape, **given)
        self._survey: Survey | None = None
        self._next_look = 0
        self._view: _View | None = None
        self._missed = np.zeros(2)  # labels foretold wrongly of late: without the image, and with it

    @property
    def survey_weight(self) -> float:
        """How far the survey image is believed, from 0 to 1; 0 without one."""
        return 0.0 if self._view is None else self._view.weight

    def heed(self, survey: Survey) -> None:
        """Take a survey image as evidence, believed as far as labels bear it out.

        Raises
        ------
        ValueError
            If it is no `Survey`, or its image has another shape than the field; then nothing has changed.
        """
        self._survey, self._next_look = heeded_survey(survey, self.shape), FIRST_REVIEW
        self._see(None)

    def prefer(self, preference: ArrayLike) -> None:
        """Say how much each pixel counts, as `Slads.prefer` does; what the survey image leaves in doubt counts more."""
        super().prefer(preference)
        self._see(self._view)

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map from the same data, (rows, columns) int64, the survey image included where believed."""
        view = self._look() if self._view is not None else None
        worse = self._missed[1] - self._missed[0] > np.sqrt(self._missed.sum())
        return super().reconstruct() if view is None or worse else view.labels

    def _take(self, places: list[Place], findings: list[Finding], names: list[int] | None) -> None:
        """Take in what visits found, and look at the survey image anew from time to time."""
        foretold = self._foretold(places)
        super()._take(places, findings, names)
        self._compare(foretold)
        if self._survey is not None and len(self._ledger) >= self._next_look:
            self._next_look = int(len(self._ledger) * REVIEW_GROWTH) + 1
            self._see(self._look())
            if self._view is None:
                self._missed[:] = 0.0

    def _see(self, view: _View | None) -> None:
        """Go by what the survey image comes to from now on."""
        if view is not None or self._view is not None:
            self._rank_by(self._preference if view is None else self._preference * view.boost)
        self._view = view

    def _foretold(self, places: list[Place]) -> list[tuple[Place, int, int]]:
        """Return unmeasured ones of places, and what the maps say of them, without the image and with it."""
        if self._view is None:
            return []
        self._refresh()
        unmeasured = (place for place in places if self._pixels["sample"][place] == 0)
        return [(place, int(self._pixels["label"][place]), int(self._view.labels[place])) for place in unmeasured]

    def _compare(self, foretold: list[tuple[Place, int, int]]) -> None:
        for place, plain, guided in foretold:
            found = int(self._pixels["sample"][place])
            if found != 0:
                self._missed *= 1.0 - 1.0 / max(MEMORY * self._pixels.size, FIRST_REVIEW)
                self._missed += np.array([plain != found, guided != found])

    def _look(self) -> "_View | None":
        """Return what grey values say by now, and what map and doubt follow from it; None where not believed."""
        self._refresh()
        sample = self._pixels["sample"]
        codes = np.unique(sample[sample != 0]).astype(np.int64)
        if self._survey is None or len(codes) < 2:
            return None
        weight, relation = self._survey.judged(self._told(self._survey, codes))
        if relation is None:
            return None
        ratio = self._survey.log_ratio(weight, relation)
        measured = sample != 0
        ratio[measured] = np.where(sample[measured][:, None] == codes, 0.0, -CERTAIN)
        belief = belief_of(ratio)
        labels = np.where(measured, sample, codes[belief.argmax(axis=2)])
        doubt = np.maximum(1.0 - belief.max(axis=2), LEAST_DOUBT) / np.maximum(self._pixels["doubt"], LEAST_DOUBT)
        return _View(weight, labels, np.clip(doubt, 1.0 / MOST_BOOST, MOST_BOOST).astype(np.float32))

    def _told(self, survey: Survey, codes: NDArray[np.int64]) -> list[Told]:
        """Return for every block of the field what is known of its measured pixels.

        Grey values (n,), terms of the trend (n, terms), what the neighbours say (n, codes), and the label (n, codes).
        """
        found = []
        for block in blocks_of(self.shape):
            rows, columns = np.nonzero(self._pixels["sample"][block])
            rows, columns = rows + block[0].start, columns + block[1].start
            near = self._pixels["neighbours"][rows, columns]
            near_row, near_column = np.maximum(near, 0) >> SHIFT, np.maximum(near, 0) & MASK
            squared = (near_row - rows[:, None]) ** 2 + (near_column - columns[:, None]) ** 2
            weight = np.where((near >= 0) & (squared > 0), 1.0 / np.maximum(squared, 1), 0.0)
            labels = self._pixels["sample"][near_row, near_column]
            votes = np.stack([(weight * (labels == code)).sum(axis=1) for code in codes], axis=1)
            around = (1 - UNFORESEEN) * votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-12)
            own = (self._pixels["sample"][rows, columns][:, None] == codes).astype(np.float64)
            place = (rows, columns)
            found.append((survey.image[place], survey.terms[place], around + UNFORESEEN / len(codes), own))
        return found
