"""Where to measure next, and for how long: the most certain map per electron or per second."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._batches import choose_apart, short_tour
from daisy_bluesky.sampling._checks import check_arguments, checked_visits
from daisy_bluesky.sampling._dose_checks import (
    Shares,
    as_log_likelihood,
    checked_dwell,
    checked_evidence,
    checked_limit,
    checked_mask,
    checked_shares,
)
from daisy_bluesky.sampling._dose_field import LEVELS, empty_dose_field
from daisy_bluesky.sampling._dose_update import observe
from daisy_bluesky.sampling._evidence import Finding
from daisy_bluesky.sampling._messages import couplings, sweep
from daisy_bluesky.sampling._prior_strength import FIRST, STRENGTHS, estimated_strength
from daisy_bluesky.sampling._slads import VISIT
from daisy_bluesky.sampling._visit_cost import VisitCost
from daisy_bluesky.sampling._visit_value import DECIDED, SMALLEST_STEP, best_visit, learn_separation, rate_all

UNKNOWN = -1
FIRST_REVIEW = 4
REVIEW_GROWTH = 1.25
STRENGTH_GROWTH = 2.0
FIRST_STRENGTH = 64
SWEEPS = 10
TOLERANCE = 1e-2
POOL = 64
LARGEST_TOUR = 4096
FAILURES = 2


class DoseAllocator:
    """Dose allocation: the next visit is the pixel and dwell time of largest expected reduction in distortion per cost.

    Every pixel has a posterior over the phases: the evidence of its visits, which adds up, and what its neighbours
    tell it under a Potts prior whose strength is estimated from the data (belief propagation, so that a pixel is not
    told its own opinion). A visit changes the beliefs its news reaches, and nothing else.

    Deciding a pixel is a sequential test; its gain is the probability that the leading phase is wrong, its cost the
    dwell time it still takes and the overhead of the visits in between. So a pixel that its neighbours decide gets
    none, one on a boundary many short visits where visits cost nothing and few long ones where they do. An unmeasured
    pixel stands for its cell of a nest of lattices, so that the field is looked at from coarse to fine, and finest
    where phases meet.

    Parameters
    ----------
    shape : tuple of int
        Size of the field, (rows, columns), pixels.
    phases : int
        Number of phases known at the start; more may come with the evidence at any time.
    seed : int
        Seed of where the lattices lie.
    cost : VisitCost, optional
        What visits cost; 1 ms of dwell at least and nothing else when omitted.
    limit : float or (rows, columns) float, optional
        Largest dwell time of a pixel, s; none when omitted.
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
    A. Wald, "Sequential tests of statistical hypotheses", Ann. Math. Stat. 16, 117 (1945), eq. 4.8 (expected length of
    a test); J. Pearl, "Reverend Bayes on inference engines" (1982), belief propagation; Hujsak, Roth and Dravid 2018
    (DAISY); Zhang et al. 2018 (EDS-SLADS), equation 14 (distortion).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        *,
        phases: int,
        seed: int = 0,
        cost: VisitCost | None = None,
        limit: ArrayLike | None = None,
        roi: ArrayLike | None = None,
        forbidden: ArrayLike | None = None,
    ) -> None:
        check_arguments(shape, phases, start_fraction=1.0)
        self.shape = (int(shape[0]), int(shape[1]))
        self.seed = seed
        self.cost = VisitCost() if cost is None else cost
        self._inside = checked_mask("roi", roi, self.shape, default=True)
        if not self._inside.any():
            raise ValueError("roi is empty; mark at least one pixel")
        self._open = self._inside & ~checked_mask("forbidden", forbidden, self.shape, default=False)
        self._channels = list(range(1, max(phases, 1) + 1))
        pitch = 1 << (LEVELS - 1)
        row, column = np.random.default_rng(seed).integers(0, pitch, 2).tolist()
        self._field = empty_dose_field(
            np.where(self._open, checked_limit(limit, self.shape), 0.0),
            self._inside,
            len(self._channels),
            (self.cost.overhead, self.cost.read_noise, self.cost.minimum_dwell),
            (row, column),
        )
        self._strength = STRENGTHS[FIRST]
        self._field.coupling[:] = couplings(self._strength)
        self._records: dict[int, tuple[Shares, Finding, float]] = {}
        self._least = np.zeros(self.shape)
        self._failures = np.zeros(self.shape, np.int64)
        self._visits = 0
        self._next_review, self._next_strength = FIRST_REVIEW, FIRST_STRENGTH
        self._last: tuple[int, int] | None = None
        self._review()

    @property
    def phases(self) -> int:
        """Number of phases: those announced, or more where evidence has gone beyond them."""
        return sum(channel != UNKNOWN for channel in self._channels)

    @property
    def strength(self) -> float:
        """Strength of the spatial prior as estimated so far, nats per nearest neighbour of the same phase."""
        return self._strength

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Pixels that were visited, failed spectra included, (rows, columns) bool."""
        return np.asarray((self._field.dwell > 0) | (self._failures > 0))

    @property
    def dwell(self) -> NDArray[np.float64]:
        """Dwell time spent on every pixel, (rows, columns) float64, s."""
        return self._field.dwell.copy()

    @property
    def labels(self) -> NDArray[np.int64]:
        """The map as used for deciding, (rows, columns) int64: 1... phases, -1 unknown phase."""
        return np.asarray(np.array(self._channels)[self._field.belief.argmax(axis=2)])

    @property
    def posterior(self) -> NDArray[np.float64]:
        """Probability of each phase, (rows, columns, phases) float64; what is missing to 1 is an unknown phase."""
        known = [index for index, channel in enumerate(self._channels) if channel != UNKNOWN]
        order = sorted(known, key=lambda index: self._channels[index])
        return self._field.belief[:, :, order].astype(np.float64)

    def expected_at(self, row: int, column: int) -> float:
        """Return the expected reduction in distortion of the next visit to a pixel, pixels; 0 where closed.

        Raises
        ------
        ValueError
            If the position lies outside the field.
        """
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            raise ValueError(f"position ({row}, {column}) lies outside the field of {self.shape} pixels")
        value = max(float(self._field.value[row, column]), 0.0)
        return value * self.cost.of(float(self._field.offer[row, column]))

    def suggest(self, n: int = 1) -> NDArray[np.void]:
        """Return the next visits, ordered for short beam travel where there are several; asking changes nothing.

        Parameters
        ----------
        n : int
            How many visits at most. No two neighbouring pixels are in one batch as long as others are left.

        Returns
        -------
        (m,) structured array
            ``row`` and ``column`` (int64, pixels) and ``dwell`` (float64, s); m <= n, 0 when nothing is left.

        Raises
        ------
        ValueError
            If n is less than 1.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        if n == 1:
            best = best_visit(self._field)
            places = np.array([] if best < 0 else [best], np.int64)
        else:
            places = self._batch(n)
        visits = np.empty(len(places), VISIT)
        visits["row"], visits["column"] = places // self.shape[1], places % self.shape[1]
        visits["dwell"] = self._field.offer.ravel()[places]
        return visits

    def _batch(self, n: int) -> NDArray[np.int64]:
        """Return up to n places of largest value: apart and in a short tour, or line by line where they are many."""
        values = self._field.value.ravel()
        pool = min(POOL * n, len(values))
        best = np.argpartition(-values, pool - 1)[:pool]
        best = best[np.lexsort((best, -values[best]))]
        best = best[values[best] > 0]
        if n > LARGEST_TOUR or len(best) <= n:
            return np.sort(best[:n])
        candidates = np.stack(np.divmod(best, self.shape[1]), axis=1)
        chosen = np.zeros(len(best), bool)
        count = choose_apart(candidates, np.full(len(best), 1.5), n, chosen)
        if count < n:
            choose_apart(candidates, np.zeros(len(best)), n - count, chosen)
        places = candidates[chosen]
        start = places[0] if self._last is None else np.array(self._last)
        return np.asarray(best[chosen][short_tour(places, start)])

    def ingest(
        self,
        positions: ArrayLike,
        evidence: ArrayLike,
        *,
        dwell: ArrayLike | None = None,
        visits: ArrayLike | None = None,
    ) -> None:
        """Take in what visits found; a visit to a pixel measured before adds its evidence.

        Parameters
        ----------
        positions : (n, 2) float
            Positions (row, column), pixels. A position between pixels is shared out among them.
        evidence : (n,) int or (n, phases) float
            Labels: 1... phases, 0 a failed spectrum, -1 an unknown phase, which is a label of its own; each but 0
            counts as nearly certain. Or log-likelihoods of the phases, nats.
        dwell : (n,) float, optional
            Dwell times, s; the shortest one where omitted or nan.
        visits : (n,) int, optional
            Visit ids, 0 or more: one seen before is replaced. Every visit is new when omitted.

        Raises
        ------
        ValueError
            If positions lie outside the field or the region of interest, or evidence, dwell or visits do not fit;
            then nothing has been taken in.
        """
        shares = checked_shares(positions, self._inside)
        findings = checked_evidence(evidence, len(shares))
        times = checked_dwell(dwell, len(shares), self.cost.minimum_dwell)
        names = checked_visits(visits, len(shares))
        for finding in findings:
            self._know(finding)
        for index, record in enumerate(zip(shares, findings, times, strict=True)):
            if names is not None:
                before = self._records.get(names[index])
                if before is not None:
                    self._apply(before, -1)
                self._records[names[index]] = record
            self._apply(record, 1)
            self._last = record[0][0][:2]
        self._look_over()

    def _know(self, finding: Finding) -> None:
        """Make room for phases a finding speaks of that nobody has spoken of before."""
        if isinstance(finding, int):
            if finding == UNKNOWN and UNKNOWN not in self._channels:
                self._grow(UNKNOWN)
            largest = finding
        else:
            largest = len(finding)
        while self.phases < largest:
            self._grow(self.phases + 1)

    def _grow(self, label: int) -> None:
        """Add a phase of which no visit so far knew: it counts as their least likely one."""
        old = self._field
        self._channels.append(label)
        self._field = empty_dose_field(old.limit, old.inside, len(self._channels), (0.0, 0.0, 0.0), (0, 0))._replace(
            dwell=old.dwell, level=old.level, coupling=old.coupling, wrong=old.wrong, looks=old.looks, cost=old.cost
        )
        self._field.evidence[:, :, :-1] = old.evidence
        self._field.evidence[:, :, -1] = self._least
        sweep(self._field, SWEEPS, TOLERANCE)
        self._review()

    def _apply(self, record: tuple[Shares, Finding, float], sign: int) -> None:
        """Add a visit to the field, or with sign -1 take it out again."""
        shares, finding, dwell = record
        told = sign * as_log_likelihood(finding, self._channels)
        failed = isinstance(finding, int) and finding == 0
        for row, column, share in shares:
            self._least[row, column] += share * told.min()
            if failed:
                self._failures[row, column] += sign
                if self._failures[row, column] >= FAILURES:
                    self._field.limit[row, column] = 0.0
            observe(self._field, row, column, share * told, sign * share * dwell)
        self._visits += sign

    def _look_over(self) -> None:
        """Learn from all visits together how spectra and sample are, each time their number has grown enough."""
        if self._visits < self._next_review:
            return
        self._next_review = int(self._visits * REVIEW_GROWTH) + 1
        if self._visits >= self._next_strength:
            self._next_strength = int(self._visits * STRENGTH_GROWTH)
            strength = estimated_strength(self._field, self._strength)
            if strength != self._strength:
                self._strength = strength
                self._field.coupling[:] = couplings(strength)
                sweep(self._field, SWEEPS, TOLERANCE)
        self._review()

    def _review(self) -> None:
        extra = self.cost.overhead + self.cost.read_noise
        first = max(extra, self.cost.minimum_dwell)
        # before anything is known a visit is as long as its overhead: at most twice as dear as the best there is
        guess = 2 * DECIDED / extra if extra > self.cost.minimum_dwell else SMALLEST_STEP / first
        learn_separation(self._field, guess, first)
        rate_all(self._field)

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map from the same data, (rows, columns) int64, from all evidence anew."""
        field = self._field._replace(messages=np.zeros_like(self._field.messages), belief=self._field.belief.copy())
        sweep(field._replace(coupling=couplings(estimated_strength(field, self._strength))), SWEEPS, TOLERANCE)
        return np.asarray(np.array(self._channels)[field.belief.argmax(axis=2)])

    def remaining_distortion(self) -> tuple[float, float, float]:
        """Estimate the total distortion of `labels` inside the region of interest.

        Returns
        -------
        tuple of float
            (estimate, low, high), fractions of the pixels.
        """
        doubt = float((1 - self._field.belief.max(axis=2))[self._inside].mean())
        return doubt, doubt / 3, min(3 * doubt, 1.0)
