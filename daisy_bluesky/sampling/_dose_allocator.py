"""Where to measure next, and for how long: the most certain map per electron or per second."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._checks import check_arguments, checked_visits
from daisy_bluesky.sampling._dose_batch import batch_of
from daisy_bluesky.sampling._dose_checks import (
    Evidence,
    Shares,
    as_findings,
    checked_dwell,
    checked_evidence,
    checked_limit,
    checked_mask,
    checked_prior,
    checked_shares,
    checked_stake,
)
from daisy_bluesky.sampling._dose_doubt import remaining_doubt
from daisy_bluesky.sampling._dose_field import LEVELS, empty_dose_field, grown, kernel_costs
from daisy_bluesky.sampling._dose_ledger import DoseLedger, Findings
from daisy_bluesky.sampling._dose_update import NOTHING, observe_each
from daisy_bluesky.sampling._dose_warm_up import compile_dose_kernels
from daisy_bluesky.sampling._messages import couplings, sweep
from daisy_bluesky.sampling._prior_strength import FIRST, STRENGTHS, estimated_strength
from daisy_bluesky.sampling._slads import VISIT
from daisy_bluesky.sampling._sparse_choice import SparseChoice, is_dear
from daisy_bluesky.sampling._survey import Survey
from daisy_bluesky.sampling._visit_cost import VisitCost
from daisy_bluesky.sampling._visit_value import DECIDED, SMALLEST_STEP, best_visit, learn_separation, rate_all

UNKNOWN = -1
FIRST_REVIEW = 4
REVIEW_GROWTH = 1.25
STRENGTH_GROWTH = 2.0
SURVEY_GROWTH = 1.5
FIRST_STRENGTH = 64
SWEEPS = 6
TOLERANCE = 1e-2
FAILURES = 2
FRAME_PART = 8  # visits to more than this part of the pixels are a frame: all is taken in before news spreads


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
        reachable = self._inside & ~checked_mask("forbidden", forbidden, self.shape, default=False)
        self._channels = list(range(1, max(phases, 1) + 1))
        pitch = 1 << (LEVELS - 1)
        row, column = np.random.default_rng(seed).integers(0, pitch, 2).tolist()
        self._limit = np.where(reachable, checked_limit(limit, self.shape), 0.0)
        self._field = empty_dose_field(
            self._limit.copy(),
            self._inside,
            len(self._channels),
            kernel_costs(self.cost),
            (row, column),
        )
        compile_dose_kernels()
        self._strength = STRENGTHS[FIRST]
        self._field.coupling[:] = couplings(self._strength)
        self._ledger = DoseLedger(len(self._channels))
        self._sparse = SparseChoice(self._inside) if is_dear(self._field) else None
        self._least = np.zeros(self.shape)
        self._failures = np.zeros(self.shape, np.int64)
        self._allowed = np.ones(self.shape, bool)
        self._visits = 0
        self._survey: Survey | None = None
        self._next_review, self._next_strength, self._next_survey = FIRST_REVIEW, FIRST_STRENGTH, FIRST_STRENGTH
        self._last: NDArray[np.int64] | None = None
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
    def survey_weight(self) -> float:
        """How far a survey image is believed, from 0 to 1; 0 without one."""
        return 0.0 if self._survey is None else self._survey.weight

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
        return self._field.belief[:, :, self._order()].astype(np.float64)

    def _order(self) -> list[int]:
        """Return the channel of each phase."""
        known = [index for index, channel in enumerate(self._channels) if channel != UNKNOWN]
        return sorted(known, key=lambda index: self._channels[index])

    def expected_at(self, row: int, column: int) -> float:
        """Return the expected reduction in distortion of the next visit to a pixel, pixels; 0 where closed.

        Raises
        ------
        ValueError
            If the position lies outside the field.
        """
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            raise ValueError(f"position ({row}, {column}) lies outside the field of {self.shape} pixels")
        value = max(float(self._field.value[row, column]), 0.0) * self.cost.of(float(self._field.offer[row, column]))
        return value if self._sparse is None else max(value, self._sparse.score_at(self._field, row, column))

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
            best = best_visit(self._field) if self._sparse is None else self._sparse.best(self._field, self.cost)
            places = np.array([] if best < 0 else [best], np.int64)
        else:
            places = batch_of(self._field, self.cost, self._sparse, self._last, n)
        visits = np.empty(len(places), VISIT)
        visits["row"], visits["column"] = places // self.shape[1], places % self.shape[1]
        visits["dwell"] = self._field.offer.ravel()[places]
        return visits

    def restrict(self, allowed: ArrayLike) -> None:
        """Suggest only some of the pixels from now on, in place of those allowed before; what was measured counts on.

        Parameters
        ----------
        allowed : (rows, columns) bool
            Pixels that may be suggested, as far as the region of interest and the forbidden pixels allow; others may
            still be measured.

        Raises
        ------
        ValueError
            If it has another shape or is not true or false everywhere; then all stays as it was.
        """
        self._allowed = checked_mask("allowed", allowed, self.shape, default=True)
        self._close()
        rate_all(self._field)
        if self._sparse is not None:
            self._sparse.close(self.measured | (self._field.limit == 0))

    def _close(self) -> None:
        """Leave no room where pixels are not allowed or have failed too often."""
        self._field.limit[:] = np.where(self._allowed & (self._failures < FAILURES), self._limit, 0.0)

    def _settle(self, places: NDArray[np.int64]) -> None:
        """Let the sparse choice know what visited places, (n, 2), amount to by now."""
        if self._sparse is not None:
            labels = np.array(self._channels)[self._field.belief[places[:, 0], places[:, 1]].argmax(axis=1)]
            self._sparse.tell(self._field, places, labels)

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
        count = len(shares.share)
        told = checked_evidence(evidence, count)
        times = checked_dwell(dwell, count, self.cost.minimum_dwell)
        names = checked_visits(visits, count)
        if count == 0:
            return
        self._know(told)
        findings = as_findings(shares, told, times, self._channels)
        if names is not None:
            gone, findings = self._ledger.replace(names, findings)
            self._apply(gone, -1)
        self._apply(findings, 1)
        self._last = shares.places[-1, 0]
        self._look_over()

    def reweigh(self, visits: ArrayLike, evidence: ArrayLike) -> None:
        """Replace what visits found, as when all are weighed against a phase discovered in mid-run.

        Parameters
        ----------
        visits : (n,) int
            Visits taken in under these ids.
        evidence : (n,) int or (n, phases) float
            As in `ingest`.

        Raises
        ------
        ValueError
            If a visit is not known or the evidence does not fit; then nothing has changed.
        """
        names = checked_visits(visits, np.size(visits)) or []
        told = checked_evidence(evidence, len(names))
        before = self._ledger.findings(names)
        if not names:
            return
        self._know(told)
        shares = Shares(before.places, before.share)
        gone, now = self._ledger.replace(names, as_findings(shares, told, before.dwell, self._channels))
        self._apply(gone, -1)
        self._field.messages[:] = 1.0
        self._apply(now, 1)
        self._look_over()

    def suspect(self, stake: ArrayLike) -> None:
        """Draw dose to where a phase that nobody knows may be, in place of where it was suspected before.

        Parameters
        ----------
        stake : (rows, columns) float
            Expected number of pixels that would be found to be of an unknown phase, by looking at a pixel.

        Raises
        ------
        ValueError
            If it has another shape, is negative or not finite; then nothing has changed.
        """
        self._field.stake[:] = checked_stake(stake, self.shape)
        rate_all(self._field)

    def heed(self, survey: Survey) -> None:
        """Take a survey image as evidence, believed as far as the spectra bear it out; it takes the place of `expect`.

        Raises
        ------
        ValueError
            If the image has another shape than the field.
        """
        survey.check_shape(self.shape)
        self._survey, self._next_survey = survey, FIRST_STRENGTH

    def expect(self, log_prior: ArrayLike) -> None:
        """Expect phases at pixels before any visit there, in place of what was expected before.

        Parameters
        ----------
        log_prior : (rows, columns, phases) float
            Logarithms of prior probabilities, nats, up to a term all phases of a pixel share; 0 says nothing.

        Raises
        ------
        ValueError
            If it has another shape or is not finite; then all stays as it was.
        """
        expected = checked_prior(log_prior, (*self.shape, self.phases))
        if np.array_equal(expected, self._field.expected[:, :, self._order()]):
            return
        self._field.expected[:, :, self._order()] = expected
        sweep(self._field, SWEEPS, TOLERANCE)
        rate_all(self._field)

    def _know(self, findings: Evidence) -> None:
        """Make room for phases the findings speak of that nobody has spoken of before."""
        if findings.ndim == 1 and (findings == UNKNOWN).any() and UNKNOWN not in self._channels:
            self._grow(UNKNOWN)
        largest = findings.shape[1] if findings.ndim == 2 else int(findings.max())
        while self.phases < largest:
            self._grow(self.phases + 1)

    def _grow(self, label: int) -> None:
        """Add a phase of which no visit so far knew: it counts as their least likely one."""
        self._channels.append(label)
        self._field = grown(self._field, self._least)
        self._ledger.grow()
        sweep(self._field, SWEEPS, TOLERANCE)
        self._review()

    def _apply(self, findings: Findings, sign: int) -> None:
        """Add visits to the field, or with sign -1 take them out again."""
        visit, corner = np.nonzero(findings.share)
        weight = sign * findings.share[visit, corner]
        places = findings.places[visit, corner]
        at = (places[:, 0], places[:, 1])
        told, times = findings.told[visit] * weight[:, None], findings.dwell[visit] * weight
        np.add.at(self._least, at, findings.least[visit] * weight)
        if findings.failed.any():
            failed = places[findings.failed[visit]]
            np.add.at(self._failures, (failed[:, 0], failed[:, 1]), sign)
            self._close()
        if len(times) * FRAME_PART < self._inside.size:
            observe_each(self._field, places, told, times)
        else:
            np.add.at(self._field.evidence, at, told)
            np.add.at(self._field.dwell, at, times)
            self._field.dwell[self._field.dwell < NOTHING * self.cost.minimum_dwell] = 0.0
            sweep(self._field, SWEEPS, TOLERANCE)
            self._next_review = 0
        self._settle(places)
        self._visits += sign * len(findings.dwell)

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
        if self._survey is not None and self._visits >= self._next_survey:
            self._next_survey = int(self._visits * SURVEY_GROWTH)
            self.expect(self._survey.log_prior(self._field)[:, :, self._order()])
        self._review()

    def _review(self) -> None:
        extra = self.cost.overhead + self.cost.read_noise
        first = max(extra, self.cost.minimum_dwell)
        # before anything is known a visit is as long as its overhead: at most twice as dear as the best there is
        guess = 2 * DECIDED / extra if extra > self.cost.minimum_dwell else SMALLEST_STEP / first
        learn_separation(self._field, guess, first)
        self._settle(np.argwhere(self.measured))
        rate_all(self._field)

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map from the same data, (rows, columns) int64, from all evidence anew."""
        field = self._field._replace(messages=np.ones_like(self._field.messages), belief=self._field.belief.copy())
        sweep(field._replace(coupling=couplings(estimated_strength(field, self._strength))), SWEEPS, TOLERANCE)
        found = np.asarray(np.array(self._channels)[field.belief.argmax(axis=2)])
        return found if self._sparse is None else np.where(self.measured, found, self._sparse.predicted())

    def remaining_distortion(self) -> tuple[float, float, float]:
        """Estimate the total distortion of `labels` in the region of interest: the mean probability of another phase.

        The prior is simpler than any sample, so the interval is a factor of 4 either way, and a few pixels more.

        Returns
        -------
        tuple of float
            (estimate, low, high), fractions of the pixels.
        """
        return remaining_doubt(self._field)
