"""Where to measure next: the supervised learning approach for dynamic sampling, on labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import check_place, check_seed, check_visit_dwell
from daisy_bluesky.sampling._batches import best_places, ordered
from daisy_bluesky.sampling._calibration import estimate, signs
from daisy_bluesky.sampling._changes import CHANGE, measure_all, put_all
from daisy_bluesky.sampling._checks import (
    check_arguments,
    check_count,
    checked_findings,
    checked_positions,
    checked_visits,
)
from daisy_bluesky.sampling._evidence import Finding, Place, VisitLedger
from daisy_bluesky.sampling._field import NEIGHBOURS, Summary, empty_field
from daisy_bluesky.sampling._field_checks import checked_mask, checked_region
from daisy_bluesky.sampling._model import SladsModel, checked_model
from daisy_bluesky.sampling._posterior import posterior
from daisy_bluesky.sampling._preferred_regions import PreferredRegions
from daisy_bluesky.sampling._reconstruction import reconstruct
from daisy_bluesky.sampling._regression import Regression
from daisy_bluesky.sampling._start_pattern import start_pattern
from daisy_bluesky.sampling._summary import summarise_all
from daisy_bluesky.sampling._update import close, rate_one, rebuild

VISIT = np.dtype([("row", np.int64), ("column", np.int64), ("dwell", np.float64)])


class Slads(PreferredRegions):
    """Sparse dynamic sampling: each next pixel is the one with the largest expected reduction in distortion (ERD).

    Exact and incremental: a measurement changes the neighbour lists, labels and scores of the pixels near it, and what
    an update leaves equals a full recomputation bit for bit. Neighbours at equal distances are taken in row-major
    order, equal votes go to the label of the nearest neighbour, and equal scores to the first pixel in order of blocks.

    Parameters
    ----------
    shape : tuple of int
        Size of the field, (rows, columns), pixels.
    phases : int
        Number of phases known at the start; labels above it, up to 255, are accepted at any time.
    model : SladsModel, optional
        The learned ERD; `SladsModel.default` when omitted.
    seed : int
        Seed of the start pattern.
    start_fraction : float
        Part of the region of interest that is measured in a fixed low-discrepancy pattern first.
    dwell : float
        Dwell time that every suggestion carries, s; above 0, or nan where nobody asks for it.
    roi : (rows, columns) bool, optional
        Region of interest: only these pixels are suggested or may be measured, and only they count as distortion.
    forbidden : (rows, columns) bool, optional
        Pixels that are never suggested, but belong to the map.

    Raises
    ------
    ValueError
        If an argument is out of range or of another shape, or the region of interest is empty.

    References
    ----------
    Godaliyadda et al., "A supervised learning approach for dynamic sampling" (SLADS); Zhang et al. 2018 (EDS-SLADS),
    equations 3 to 6; Hujsak, Roth and Dravid 2018 (DAISY).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        *,
        phases: int,
        model: SladsModel | None = None,
        seed: int = 0,
        start_fraction: float = 0.01,
        dwell: float = float("nan"),
        roi: ArrayLike | None = None,
        forbidden: ArrayLike | None = None,
    ) -> None:
        check_arguments(shape, phases, start_fraction)
        self.shape = (int(shape[0]), int(shape[1]))
        check_seed(seed)
        check_visit_dwell(dwell)
        self.model = checked_model(model)
        self.seed = seed
        self.dwell = dwell
        self._phases = int(phases)
        self._regression = self.model.regression
        inside = checked_region(roi, self.shape)
        self._field = empty_field(self.shape, inside)
        self._forbidden = ~inside | self._mask("forbidden", forbidden, default=False)
        self._vetoed = np.zeros(self.shape, bool)
        self._pixels = self._field.pixels
        self._pixels["closed"] = self._forbidden
        self._inside = int(inside.sum())
        self._tally = np.zeros((2, 2))
        self._ledger = VisitLedger()
        self._samples = 0
        self._last: Place | None = None
        # Nothing but samples is kept up to date while stale: the start pattern needs no scores.
        self._stale = True
        self._start = start_pattern(~self._forbidden, start_fraction, seed)
        self._started = 0

    def _mask(self, name: str, mask: ArrayLike | None, *, default: bool) -> NDArray[np.bool_]:
        """Return a mask over the field, (rows, columns) bool."""
        return checked_mask(name, mask, self.shape, default=default)

    @property
    def phases(self) -> int:
        """Number of phases: those announced, or more where labels have gone beyond them."""
        return max(self._phases, int(self._pixels["sample"].max()))

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Pixels that were visited, failed spectra included, (rows, columns) bool."""
        mask = np.zeros(self.shape, bool)
        mask[tuple(np.array(self._ledger.places(), np.int64).reshape(-1, 2).T)] = True
        return mask

    @property
    def labels(self) -> NDArray[np.int64]:
        """The map as used for deciding, (rows, columns) int64: -1 unknown phase, 1... phases, 0 before any sample."""
        self._refresh()
        labels: NDArray[np.int64] = self._pixels["label"].astype(np.int64)
        return labels

    @property
    def posterior(self) -> NDArray[np.float64]:
        """Probability of each phase, (rows, columns, phases) float64; what is missing to 1 is an unknown phase.

        Measured pixels carry what their visits say (certain labels, or normalised likelihoods), the others the
        inverse-square-distance weighted mean of their neighbours.
        """
        self._refresh()
        return posterior(self._pixels, self._ledger, self.phases)

    @property
    def expected_reduction(self) -> NDArray[np.float64]:
        """Score of every pixel, (rows, columns) float64, pixels of distortion; 0 where it cannot be measured again."""
        self._refresh()
        return np.asarray(np.maximum(self._pixels["score"], 0.0), np.float64)

    def expected_at(self, row: int, column: int) -> float:
        """Return the expected reduction in distortion of measuring a pixel, pixels; cheap at any time.

        Parameters
        ----------
        row, column : int
            Position, pixels.

        Returns
        -------
        float
            The score; 0 where the pixel cannot be measured again, nan before the first valid measurement.

        Raises
        ------
        ValueError
            If the position lies outside the field, or is not one pixel.
        """
        check_place(row, column, self.shape)
        if self._samples == 0:
            return float("nan")
        if self._stale:
            rate_one(self._pixels, row, column, self._regression)
        return max(float(self._pixels["score"][row, column]), 0.0)

    def suggest(self, n: int = 1) -> NDArray[np.void]:
        """Return the next visits; asking changes nothing.

        First the start pattern, then the pixels of largest expected reduction in distortion. Several at once are kept
        apart by 1.5 times their distance to the nearest measurement and ordered for short beam travel.

        Parameters
        ----------
        n : int
            How many visits at most.

        Returns
        -------
        (m,) structured array
            ``row`` and ``column`` (int64, pixels) and ``dwell`` (float64, s); m <= n, 0 when nothing is left.

        Raises
        ------
        ValueError
            If n is less than 1.
        """
        check_count(n)
        places = self._next_of_start(n)
        if len(places) > 1:
            places = ordered(np.array(places), self._last)
        elif not places:
            self._refresh()
            places = best_places(self._pixels, self._field.summary, n, self._last, [self.seed, len(self._ledger)])
        return np.array([(row, column, self.dwell) for row, column in places], VISIT)

    def ingest(
        self,
        positions: ArrayLike,
        evidence: ArrayLike,
        *,
        dwell: ArrayLike | None = None,
        visits: ArrayLike | None = None,
    ) -> None:
        """Take in what visits found.

        Parameters
        ----------
        positions : (n, 2) int
            Positions (row, column), pixels.
        evidence : (n,) int or (n, phases) float
            Labels: 1... phases, 0 a failed spectrum (the pixel counts as measured and is interpolated over), -1 an
            unknown phase, which is a label of its own. Or log-likelihoods of the phases, nats: they add up over the
            visits to a pixel, and the most likely phase is its label.
        dwell : (n,) float, optional
            Dwell times, s; every valid spectrum counts alike here, so they are not used.
        visits : (n,) int, optional
            Visit ids, 0 or more: one seen before is replaced. Every visit is new when omitted.

        Raises
        ------
        ValueError
            If positions lie outside the field or the region of interest, or evidence or visits do not fit; then
            nothing has been taken in.
        """
        del dwell
        places = checked_positions(positions, self.shape, self._field.pixels["inside"])
        findings = checked_findings(evidence, len(places))
        self._take(places, findings, checked_visits(visits, len(places)))

    def _take(self, places: list[Place], findings: list[Finding], names: list[int] | None) -> None:
        """Take in what visits found, all of it checked."""
        if len(places) > self._pixels.size // 256 + NEIGHBOURS or self._is_start_of_few(len(places)):
            self._stale = True
        changes: list[tuple[int, int, int, bool, bool]] = []
        for index, place in enumerate(places):
            visit = self._ledger.name() if names is None else names[index]
            moved_from = self._ledger.record(visit, place, findings[index])
            if moved_from is not None:
                changes.append(self._change(moved_from))
            changes.append(self._change(place))
            self._last = place
        self._settle(np.array(changes, CHANGE))

    def restrict(self, allowed: ArrayLike | None) -> None:
        """Say where measurements may still be suggested; it replaces what was said before.

        What has been measured keeps counting, and measurements elsewhere are still taken in: a visit may be on its way.
        The map, its expected distortion and the region of interest stay what they are. The same restriction and data
        leave the same state, whichever came first.

        Parameters
        ----------
        allowed : (rows, columns) bool
            Pixels that may be suggested from now on, as far as they are open otherwise; where it is False none is.
            None allows all.

        Raises
        ------
        ValueError
            If it is no mask of the field; then nothing has changed.
        """
        self._vetoed = ~self._mask("allowed", allowed, default=True)
        closed = self._forbidden | self._vetoed | self.measured
        if self._stale:
            self._pixels["closed"] = closed
        else:
            close(*self._arrays(), closed)

    def _rank_by(self, preference: ArrayLike) -> None:
        """Compare pixels by their scores times (rows, columns) preferences from now on."""
        self._pixels["preference"] = preference
        if not self._stale:
            summarise_all(self._pixels, self._field.summary)

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map from the same data, (rows, columns) int64, by `sampling.reconstruct`."""
        rows, columns = np.nonzero(self._pixels["sample"])
        return reconstruct(self.shape, np.stack([rows, columns], axis=1), self._pixels["sample"][rows, columns])

    def remaining_distortion(self) -> tuple[float, float, float]:
        """Estimate the total distortion of `reconstruct` inside the region of interest.

        The mean of every pixel's learned probability of a wrong label, corrected by how many more or fewer surprises
        the run itself has met than it expected, at boundaries lately and in quiet places since its start, as that was
        related to the truth when calibration images were sampled. Isolated objects that nobody has met are counted as
        far as objects like them turned up where none was expected; where these are specks of a few pixels (a tenth of
        the map in specks: ebc_a_4_128), the estimate is too low. It does not know of misclassified spectra. Cheap at
        any time.

        Returns
        -------
        tuple of float
            (estimate, low, high), fractions of the pixels; low and high enclose the truth in 90% of runs.
        """
        self._refresh()
        told = signs(self._field.summary.tiles, self._tally, self._inside)
        unmeasured = 1.0 - self._samples / self._inside
        middle, low, high = estimate(told, self.model.calibration, self.model.interval, unmeasured)
        return float(middle), float(low), float(high)

    def _change(self, place: Place) -> tuple[int, int, int, bool, bool]:
        """Return what one pixel becomes by the visits to it, as `CHANGE` has it."""
        closed = bool(self._forbidden[place] or self._vetoed[place]) or self._ledger.visited(place)
        return (*place, self._ledger.label(place), closed, len(self._ledger) > len(self._start))

    def _is_start_of_few(self, n: int) -> bool:
        """Tell whether n visits of the start pattern, which needs no scores, change the lists of most pixels."""
        return len(self._ledger) + n <= len(self._start) and 2 * NEIGHBOURS * n > self._samples

    def _settle(self, changes: NDArray[np.void]) -> None:
        """Make the field's state agree with what pixels become, (n,) CHANGE."""
        lost = (changes["label"] == 0) & (self._pixels["sample"][changes["row"], changes["column"]] != 0)
        # Lists that lose a neighbour are searched anew, which is slower than a rebuild while samples are few.
        self._stale |= bool(lost.any()) and self._samples**2 < self._pixels.size
        if self._stale:
            self._samples += put_all(self._pixels, changes)
        else:
            self._samples += measure_all(*self._arrays(), changes, self._tally)

    def _arrays(self) -> tuple[NDArray[Any], Summary, NDArray[np.int32], Regression]:
        """Return what compiled kernels take."""
        return self._field.pixels, self._field.summary, self._field.queue, self._regression

    def _refresh(self) -> None:
        """Rebuild everything if only samples were kept up to date."""
        if self._stale:
            rebuild(self._pixels, self._field.summary, self._regression)
            self._stale = False

    def _next_of_start(self, n: int) -> list[Place]:
        """Return the next positions of the start pattern that have not been visited, at most n."""
        while self._started < len(self._start) and self._ledger.visited(self._start[self._started]):
            self._started += 1
        waiting = (place for place in self._start[self._started :] if not self._pixels["closed"][place])
        return [place for place, _ in zip(waiting, range(n), strict=False)]
