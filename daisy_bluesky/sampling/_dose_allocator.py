"""Where to measure next, and for how long: the most certain map per electron or per second."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import check_place, check_seed
from daisy_bluesky.sampling._checks import check_arguments, check_count, checked_visits
from daisy_bluesky.sampling._dose_batch import batch_of
from daisy_bluesky.sampling._dose_checks import (
    Evidence,
    Shares,
    as_findings,
    checked_dwell,
    checked_evidence,
    checked_prior,
    checked_shares,
    checked_stake,
)
from daisy_bluesky.sampling._dose_doubt import remaining_doubt
from daisy_bluesky.sampling._dose_field import mean_expected
from daisy_bluesky.sampling._dose_knowledge import DoseKnowledge
from daisy_bluesky.sampling._dose_ledger import Findings
from daisy_bluesky.sampling._dose_surprise import learn_surprise
from daisy_bluesky.sampling._dose_warm_up import compile_dose_kernels
from daisy_bluesky.sampling._field_checks import checked_limit, checked_mask, checked_region
from daisy_bluesky.sampling._preferred_regions import PreferredRegions
from daisy_bluesky.sampling._slads import VISIT
from daisy_bluesky.sampling._sparse_choice import SparseChoice, is_dear
from daisy_bluesky.sampling._survey import Survey, heeded_survey
from daisy_bluesky.sampling._visit_cost import VisitCost
from daisy_bluesky.sampling._visit_value import ROUNDING, best_visit, learn_separation, rate_all, urgency

FIRST_REVIEW = 4
REVIEW_GROWTH = 1.25
STRENGTH_GROWTH = 2.0
SURVEY_GROWTH = 1.5
FIRST_STRENGTH = 64


class DoseAllocator(PreferredRegions):
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
        check_seed(seed)
        if not isinstance(cost, VisitCost | None):
            raise ValueError(f"cost: {cost!r} is no VisitCost; give one, or leave it out")
        self.seed = seed
        self.cost = VisitCost() if cost is None else cost
        self._inside = checked_region(roi, self.shape)
        reachable = self._inside & ~checked_mask("forbidden", forbidden, self.shape, default=False)
        limits = np.where(reachable, checked_limit(limit, self.shape), 0.0)
        self._known = DoseKnowledge(limits, self._inside, phases=phases, cost=self.cost, seed=seed)
        compile_dose_kernels()
        self._sparse = SparseChoice(self._inside) if is_dear(self._known.field) else None
        self._survey: Survey | None = None
        self._next_review, self._next_strength, self._next_survey = FIRST_REVIEW, FIRST_STRENGTH, FIRST_STRENGTH
        self._last: NDArray[np.int64] | None = None
        self._shut()
        self._review()

    @property
    def phases(self) -> int:
        """Number of phases: those announced, or more where evidence has gone beyond them."""
        return self._known.phases

    @property
    def strength(self) -> float:
        """Strength of the spatial prior as estimated so far, nats per nearest neighbour of the same phase."""
        return self._known.strength

    @property
    def survey_weight(self) -> float:
        """How far a survey image is believed, from 0 to 1; 0 without one."""
        return 0.0 if self._survey is None else self._survey.weight

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Pixels that were visited, failed spectra included, (rows, columns) bool."""
        return self._known.measured

    @property
    def dwell(self) -> NDArray[np.float64]:
        """Dwell time spent on every pixel, (rows, columns) float64, s."""
        return self._known.field.dwell.copy()

    @property
    def labels(self) -> NDArray[np.int64]:
        """The map as used for deciding, (rows, columns) int64: 1... phases, -1 unknown phase."""
        return self._known.labels_of(self._known.field.belief)

    @property
    def posterior(self) -> NDArray[np.float64]:
        """Probability of each phase, (rows, columns, phases) float64; what is missing to 1 is an unknown phase."""
        return self._known.field.belief[:, :, self._known.order].astype(np.float64)

    def expected_at(self, row: int, column: int) -> float:
        """Return the expected reduction in distortion of the next visit to a pixel, pixels; 0 where closed.

        Raises
        ------
        ValueError
            If the position lies outside the field, or is not one pixel.
        """
        check_place(row, column, self.shape)
        field = self._known.field
        value = max(float(field.value[row, column]), 0.0) * self.cost.of(float(field.offer[row, column]))
        value /= urgency(field, row, column)
        return value if self._sparse is None else max(value, self._sparse.score_at(field, row, column))

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
        check_count(n)
        field = self._known.field
        if n == 1:
            best = best_visit(field) if self._sparse is None else self._sparse.best(field, self.cost)
            places = np.array([] if best < 0 else [best], np.int64)
        else:
            places = batch_of(field, self.cost, self._sparse, self._last, n)
        visits = np.empty(len(places), VISIT)
        visits["row"], visits["column"] = places // self.shape[1], places % self.shape[1]
        visits["dwell"] = field.offer.ravel()[places]
        return visits

    def restrict(self, allowed: ArrayLike | None) -> None:
        """Suggest only some of the pixels from now on, in place of those allowed before; what was measured counts on.

        Parameters
        ----------
        allowed : (rows, columns) bool
            Pixels that may be suggested, as far as the region of interest and the forbidden pixels allow; others may
            still be measured. None allows all.

        Raises
        ------
        ValueError
            If it has another shape or is not true or false everywhere; then all stays as it was.
        """
        self._known.allow(checked_mask("allowed", allowed, self.shape, default=True))
        rate_all(self._known.field)
        self._shut()

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
        self._make_room(told)
        findings = as_findings(shares, told, times, self._known.channels)
        if names is not None:
            gone, findings = self._known.ledger.replace(names, findings)
            self._apply(gone, -1)
        self._apply(findings)
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
        before = self._known.ledger.findings(names)
        if not names:
            return
        self._make_room(told)
        shares = Shares(before.places, before.share)
        gone, now = self._known.ledger.replace(names, as_findings(shares, told, before.dwell, self._known.channels))
        self._apply(gone, -1)
        self._known.field.messages[:] = 1.0
        self._apply(now)
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
        self._known.field.stake[:] = checked_stake(stake, self.shape)
        rate_all(self._known.field)

    def heed(self, survey: Survey) -> None:
        """Take a survey image as evidence, believed as far as the spectra bear it out.

        From 64 visits on it takes the place of what `expect` was told.

        Raises
        ------
        ValueError
            If it is no `Survey`, or its image has another shape than the field; then nothing has changed.
        """
        self._survey, self._next_survey = heeded_survey(survey, self.shape), FIRST_STRENGTH

    def expect(self, log_prior: ArrayLike) -> None:
        """Expect phases at pixels before any visit there, in place of what was expected before.

        Parameters
        ----------
        log_prior : (rows, columns, phases) float
            Logarithms of prior probabilities, nats, up to a term all phases of a pixel share; 0 says nothing. A phase
            that comes later, and an unknown one, is expected to be as likely as the others are on average.

        Raises
        ------
        ValueError
            If it has another shape or is not finite; then all stays as it was.
        """
        given = checked_prior(log_prior, (*self.shape, self.phases))
        expected = np.repeat(mean_expected(given)[:, :, None], len(self._known.channels), axis=2)
        expected[:, :, self._known.order] = given
        if self._known.expect(expected):
            rate_all(self._known.field)

    def _rank_by(self, preference: ArrayLike) -> None:
        self._known.field.preference[:] = preference
        self._known.field.dirty[:] = True
        if self._sparse is not None:
            self._sparse.prefer(self._known.field.preference)

    def _shut(self) -> None:
        """Take pixels without room for a visit out of the sparse choice."""
        if self._sparse is not None:
            shut = self._known.field.limit < self.cost.minimum_dwell * (1 - ROUNDING)
            self._sparse.close(self.measured | shut)

    def _make_room(self, evidence: Evidence) -> None:
        """Add the phases that evidence speaks of and nobody has spoken of before."""
        for label in self._known.unheard(evidence):
            self._known.grow(label)
            self._review()

    def _apply(self, findings: Findings, sign: int = 1) -> None:
        """Take in visits, or with sign -1 take them out again."""
        if self._known.add(findings, sign):
            self._next_review = 0
        self._settle(findings.places[findings.share != 0])

    def _settle(self, places: NDArray[np.int64]) -> None:
        """Let the sparse choice know what visited places, (n, 2), amount to by now."""
        if self._sparse is not None:
            field = self._known.field
            self._sparse.tell(field, places, self._known.labels_of(field.belief[places[:, 0], places[:, 1]]))

    def _look_over(self) -> None:
        """Learn from all visits together how spectra and sample are, each time their number has grown enough."""
        visits = self._known.visits
        if visits < self._next_review:
            return
        self._next_review = int(visits * REVIEW_GROWTH) + 1
        if visits >= self._next_strength:
            self._next_strength = int(visits * STRENGTH_GROWTH)
            self._known.estimate_strength()
        if self._survey is not None and visits >= self._next_survey:
            self._next_survey = int(visits * SURVEY_GROWTH)
            self._known.expect(self._survey.log_prior(self._known.field).astype(np.float32))
        self._review()

    def _review(self) -> None:
        learn_separation(self._known.field)
        if self._sparse is None:
            learn_surprise(self._known.field)
        self._settle(np.argwhere(self.measured))
        rate_all(self._known.field)

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map from the same data, (rows, columns) int64, from all evidence anew."""
        found = self._known.map_anew()
        return found if self._sparse is None else np.where(self.measured, found, self._sparse.predicted())

    def remaining_distortion(self) -> tuple[float, float, float]:
        """Estimate the total distortion of `reconstruct` in the region of interest.

        The mean probability of another phase, corrected by how often neighbours were found to be wrong, since the prior
        is simpler than any sample. Correction and interval were fitted to generated maps of many kinds
        (`daisy_bluesky.sampling.calibrate_stopping`).

        Returns
        -------
        tuple of float
            (estimate, low, high), fractions of the pixels; low and high enclose the truth in 90% of maps.
        """
        return remaining_doubt(self._known.field)
