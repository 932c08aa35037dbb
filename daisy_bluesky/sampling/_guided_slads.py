"""Sparse dynamic sampling that heeds a survey image as far as the labels bear it out."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._batches import best_places
from daisy_bluesky.sampling._checks import check_count
from daisy_bluesky.sampling._field import MASK, SHIFT
from daisy_bluesky.sampling._potts import potts_posterior
from daisy_bluesky.sampling._slads import VISIT, Slads
from daisy_bluesky.sampling._survey import Survey, blocks_of

FIRST_REVIEW, REVIEW_GROWTH = 64, 1.25
UNFORESEEN = 0.04  # share of labels that neighbours do not foretell, whatever they say
CERTAIN = 20.0  # nats by which a label counts more than all others
MOST_BOOST = 2.0  # more of it leads astray where an image tells little
LEAST_DOUBT = 1e-3
MEMORY = 0.02  # share of the visits after which what the maps foretold is half forgotten
Told = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


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
        self._guided: NDArray[np.int64] | None = None
        self._boost: NDArray[np.float32] | None = None
        self._missed = np.zeros(2)  # labels foretold wrongly of late: without the image, and with it

    @property
    def survey_weight(self) -> float:
        """How far the survey image is believed, from 0 to 1; 0 without one."""
        return 0.0 if self._survey is None or self._guided is None else self._survey.weight

    def heed(self, survey: Survey) -> None:
        """Take a survey image as evidence, believed as far as labels bear it out.

        Raises
        ------
        ValueError
            If the image has another shape than the field.
        """
        survey.check_shape(self.shape)
        self._survey, self._next_look = survey, FIRST_REVIEW

    def suggest(self, n: int = 1) -> NDArray[np.void]:
        """Return the next visits, as `Slads.suggest` does, with what the survey image leaves in doubt first."""
        check_count(n)
        if self._boost is None or self._next_of_start(1):
            return super().suggest(n)
        self._refresh()
        boosted = self._pixels["score"] * self._boost
        if n == 1:
            best = int(boosted.argmax())
            places = [divmod(best, self.shape[1])] if boosted.flat[best] >= 0 else []
        else:
            pixels = self._pixels.copy()
            pixels["score"] = boosted
            places = best_places(pixels, self._field.summary, n, self._last, [self.seed, len(self._ledger)])
        return np.array([(row, column, self.dwell) for row, column in places], VISIT)

    def ingest(
        self,
        positions: ArrayLike,
        evidence: ArrayLike,
        *,
        dwell: ArrayLike | None = None,
        visits: ArrayLike | None = None,
    ) -> None:
        """Take in what visits found, as `Slads.ingest` does, and look at the survey image anew from time to time."""
        if self._survey is None:
            super().ingest(positions, evidence, dwell=dwell, visits=visits)
            return
        foretold = self._foretold(positions)
        super().ingest(positions, evidence, dwell=dwell, visits=visits)
        self._compare(foretold)
        if len(self._ledger) >= self._next_look:
            self._next_look = int(len(self._ledger) * REVIEW_GROWTH) + 1
            self._look(self._survey)

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map from the same data, (rows, columns) int64, the survey image included where believed."""
        if self._survey is not None and self._guided is not None:
            self._look(self._survey)
        worse = self._missed[1] - self._missed[0] > np.sqrt(self._missed.sum())
        if self._guided is None or worse:
            return super().reconstruct()
        sample = self._pixels["sample"].astype(np.int64)
        return np.where(sample != 0, sample, self._guided)

    def _foretold(self, positions: ArrayLike) -> list[tuple[int, int, int, int]]:
        """Return unmeasured places among positions, and what the maps say of them, without the image and with it."""
        if self._guided is None:
            return []
        self._refresh()
        places = np.asarray(positions, np.int64).reshape(-1, 2)
        inside = ((places >= 0) & (places < np.array(self.shape))).all(axis=1)
        return [
            (row, column, int(self._pixels["label"][row, column]), int(self._guided[row, column]))
            for row, column in places[inside].tolist()
            if self._pixels["sample"][row, column] == 0
        ]

    def _compare(self, foretold: list[tuple[int, int, int, int]]) -> None:
        for row, column, plain, guided in foretold:
            found = int(self._pixels["sample"][row, column])
            if found != 0:
                self._missed *= 1.0 - 1.0 / max(MEMORY * self._pixels.size, FIRST_REVIEW)
                self._missed += np.array([plain != found, guided != found])

    def _look(self, survey: Survey) -> None:
        """Learn anew what grey values say, and what map and doubt follow from it."""
        self._refresh()
        codes = np.unique(self._pixels["sample"])
        codes = codes[codes != 0].astype(np.int64)
        self._guided = self._boost = None
        ratio = survey.log_ratio_by(self._told(survey, codes)) if len(codes) > 1 else None
        if ratio is None:
            self._missed[:] = 0.0
            return
        sample = self._pixels["sample"]
        measured = sample != 0
        ratio[measured] = np.where(sample[measured][:, None] == codes, 0.0, -CERTAIN)
        belief = potts_posterior(ratio)
        self._guided = codes[belief.argmax(axis=2)]
        doubt = np.maximum(1.0 - belief.max(axis=2), LEAST_DOUBT) / np.maximum(self._pixels["doubt"], LEAST_DOUBT)
        self._boost = np.clip(doubt, 1.0 / MOST_BOOST, MOST_BOOST).astype(np.float32)

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
