"""Where to measure next when several things are to be seen at once."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import check_place, check_seed, check_visit_dwell
from daisy_bluesky.sampling._batches import best_places, ordered
from daisy_bluesky.sampling._checks import check_arguments, check_count, checked_positions, checked_visits
from daisy_bluesky.sampling._evidence import Place
from daisy_bluesky.sampling._field_checks import checked_limit, checked_mask, checked_region
from daisy_bluesky.sampling._measured_values import MeasuredValues
from daisy_bluesky.sampling._model import SladsModel, checked_model
from daisy_bluesky.sampling._objective import PHASES, Objective, checked_weights
from daisy_bluesky.sampling._objective_evidence import checked_evidence, checked_times
from daisy_bluesky.sampling._objective_field import LARGEST_LABEL, empty_objective_field
from daisy_bluesky.sampling._objective_goals import Goals
from daisy_bluesky.sampling._objective_scale import rarity
from daisy_bluesky.sampling._objective_update import combine_all, rebuild, renew
from daisy_bluesky.sampling._prediction_errors import UNKNOWN, PredictionErrors
from daisy_bluesky.sampling._preferred_regions import PreferredRegions
from daisy_bluesky.sampling._reconstruction import reconstruct
from daisy_bluesky.sampling._slads import VISIT
from daisy_bluesky.sampling._start_pattern import start_pattern
from daisy_bluesky.sampling._summary import summarise_all

FIRST_REVIEW = 10
REVIEW_GROWTH = 1.25
ROUNDING = 1e-9


class Objectives(PreferredRegions):
    """Sparse dynamic sampling for several objectives: each next pixel is the one that tells most of all of them.

    All objectives share one set of measured positions and the lists of nearest measurements; each has a field of its
    own: labels, or values with the variance that every visit gives them. What is expected of a pixel is the weighted
    sum of the objectives' expected reductions in distortion, each divided by the span of its own levels, so that equal
    weights mean equal care.

    The neighbours of a pixel are split in two levels, and only as far as the split is beyond what their noise makes
    is it taken for a boundary; then the reduction is that of a map of two labels as `Slads` has learned it, times the
    difference. Where nothing is expected the distance to the nearest measurement still counts, so exploration never
    ends. A measured pixel is worth another visit where its variance leaves in doubt on which level it lies.

    A measurement changes what it can change and nothing else; what is left equals a full recomputation.

    Parameters
    ----------
    shape : tuple of int
        Size of the field, (rows, columns), pixels.
    weights : mapping of str to float
        How much each objective counts, by name: ``"phases"``, ``"boundaries"``, ``"rare phases"``; the name of a
        quantity for its map; ``"poor in NAME"`` and ``"rich in NAME"`` for the regions where there is little or much of
        it. An objective of weight 0 costs no visits, and can be given more later.
    model : SladsModel, optional
        The learned reduction; `SladsModel.default` when omitted.
    seed : int
        Seed of the start pattern.
    start_fraction : float
        Part of the region of interest that is measured in a fixed low-discrepancy pattern first.
    dwell : float
        Dwell time that every suggestion carries, s; above 0, or nan where nobody asks for it.
    limit : float or (rows, columns) float, optional
        Largest dwell time of a pixel, s; none when omitted.
    thresholds : mapping of str to float, optional
        Where the regions of ``"poor in NAME"`` and ``"rich in NAME"`` begin, by the name of the objective and in the
        unit of its field; when not given, where the measured values part best in two.
    roi : (rows, columns) bool, optional
        Region of interest: only these pixels are suggested or may be measured.
    forbidden : (rows, columns) bool, optional
        Pixels that are never suggested, but belong to the maps.

    Raises
    ------
    ValueError
        If an argument is out of range or of another shape, or the region of interest is empty.

    References
    ----------
    Hujsak, Roth and Dravid 2018 (DAISY): multi-objective dynamic sampling; Godaliyadda et al., "A supervised learning
    approach for dynamic sampling" (SLADS).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        weights: Mapping[str, float],
        *,
        model: SladsModel | None = None,
        seed: int = 0,
        start_fraction: float = 0.01,
        dwell: float = float("nan"),
        limit: ArrayLike | None = None,
        thresholds: Mapping[str, float] | None = None,
        roi: ArrayLike | None = None,
        forbidden: ArrayLike | None = None,
    ) -> None:
        check_arguments(shape, 1, start_fraction)
        self._weights = checked_weights(weights)
        self.shape = (int(shape[0]), int(shape[1]))
        check_seed(seed)
        check_visit_dwell(dwell)
        self.model = checked_model(model)
        self.seed = seed
        self.dwell = dwell
        self.objectives = tuple(Objective.named(name) for name in self._weights)
        self.fields = tuple(dict.fromkeys(objective.field for objective in self.objectives))
        self._goals = Goals(self.objectives, self.fields, thresholds or {})
        self._inside = checked_region(roi, self.shape)
        categorical = np.array([objective.categorical for objective in self.objectives])
        lines = np.array([objective.kind == "boundaries" for objective in self.objectives])
        self._field = empty_objective_field(self.shape, self._inside, categorical, lines)
        self._limit = checked_limit(limit, self.shape)
        self._open = self._inside & ~checked_mask("forbidden", forbidden, self.shape, default=False) & (self._limit > 0)
        self._allowed = np.ones(self.shape, bool)
        self._room = np.zeros(self.shape, bool)
        self._labels = np.array([field == PHASES for field in self.fields])
        self._measured = MeasuredValues(self._labels)
        self._values = np.full((len(self.fields), 2, *self.shape), np.nan)
        self._errors = PredictionErrors(self.shape[0] * self.shape[1])
        self._next_review = FIRST_REVIEW
        self._last: Place | None = None
        self._field.pixels["closed"] = ~self._open
        self._start = start_pattern(self._open, start_fraction, seed)
        self._started = 0
        self._weigh()

    @property
    def weights(self) -> dict[str, float]:
        """How much each objective counts, by name. Those left out of what is assigned count 0 from then on."""
        return dict(self._weights)

    @weights.setter
    def weights(self, weights: Mapping[str, float]) -> None:
        self._weights = checked_weights(weights, tuple(self._weights))
        self._weigh()

    @property
    def scales(self) -> dict[str, float]:
        """Span of the levels of each objective as found so far, in its own unit, by name."""
        return dict(zip(self._weights, self._goals.scales.tolist(), strict=True))

    def restrict(self, allowed: ArrayLike | None) -> None:
        """Say where measurements may still be suggested; it replaces what was said before.

        Parameters
        ----------
        allowed : (rows, columns) bool
            Pixels that may be suggested from now on; where it is False none is. None allows all.

        Raises
        ------
        ValueError
            If it is no mask of the field; then nothing has changed.
        """
        self._allowed = checked_mask("allowed", allowed, self.shape, default=True)
        self._field.pixels["closed"] = ~(self._open & self._allowed) | self.measured
        self._field.again[:] = self._room & self._open & self._allowed
        combine_all(self._field)

    def _rank_by(self, preference: ArrayLike) -> None:
        self._field.pixels["preference"] = preference
        summarise_all(self._field.pixels, self._field.summary)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Pixels that were visited, failed spectra included, (rows, columns) bool."""
        return self._measured.mask(self.shape)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The phases as used for deciding, (rows, columns) int64; 0 where they are no objective."""
        for number, objective in enumerate(self.objectives):
            if objective.categorical:
                return np.asarray(self._field.level[number], np.int64)
        return np.zeros(self.shape, np.int64)

    @property
    def expected_reduction(self) -> NDArray[np.float64]:
        """Score of every pixel, (rows, columns) float64; 0 where it cannot be measured again."""
        return np.asarray(np.maximum(self._field.pixels["score"], 0.0), np.float64)

    def expected_at(self, row: int, column: int) -> float:
        """Return the weighted sum of the expected reductions of measuring a pixel; 0 where it cannot be measured.

        Raises
        ------
        ValueError
            If the position lies outside the field, or is not one pixel.
        """
        check_place(row, column, self.shape)
        return max(float(self._field.pixels["score"][row, column]), 0.0)

    def suggest(self, n: int = 1) -> NDArray[np.void]:
        """Return the next visits; asking changes nothing.

        First the start pattern, then the pixels of largest expected reduction. Several at once are kept apart and
        ordered for short beam travel.

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
            places = best_places(
                self._field.pixels, self._field.summary, n, self._last, [self.seed, len(self._measured)]
            )
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
        evidence : (n, fields, 2) float
            For each of `fields` a value and its variance: of quantities in a unit that does not depend on the dwell
            time, such as counts per second; of ``"phases"`` the label, 1 and up or -1 for an unknown phase, with
            variance 0. All nan for a failed visit: the pixel counts as measured and is interpolated over.
        dwell : (n,) float, optional
            Dwell times, s, by which visits to one pixel are averaged; equal when omitted.
        visits : (n,) int, optional
            Visit ids, 0 or more: one seen before is replaced. Every visit is new when omitted.

        Raises
        ------
        ValueError
            If positions lie outside the field or the region of interest, or evidence, dwell or visits do not fit; then
            nothing has been taken in.
        """
        places = checked_positions(positions, self.shape, self._inside)
        findings = checked_evidence(evidence, len(places), self._labels, LARGEST_LABEL)
        times = checked_times(dwell, len(places))
        names = checked_visits(visits, len(places))
        for index, place in enumerate(places):
            visit = self._measured.name() if names is None else names[index]
            moved_from = self._measured.record(visit, place, findings[index], times[index])
            if moved_from is not None:
                self._settle(moved_from)
            self._settle(place)
            self._last = place
        if len(self._measured) >= self._next_review:
            self._next_review = int(len(self._measured) * REVIEW_GROWTH) + 1
            self._review()

    def reconstruct(self) -> NDArray[np.int64]:
        """Return the best map of phases, (rows, columns) int64, by `sampling.reconstruct`; 0 where they are unknown."""
        if PHASES not in self.fields:
            return np.zeros(self.shape, np.int64)
        found = self._values[self.fields.index(PHASES), 0]
        places = np.argwhere(np.isfinite(found))
        return reconstruct(self.shape, places, found[tuple(places.T)].astype(np.int64))

    def measurements(self, field: str) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return what was measured of a field: positions (n, 2), values (n,) and variances (n,).

        Raises
        ------
        ValueError
            If there is no such field.
        """
        if field not in self.fields:
            raise ValueError(f"field: {field!r} is none of {', '.join(self.fields)}")
        values, variances = self._values[self.fields.index(field)]
        places = np.argwhere(np.isfinite(values))
        return places, values[tuple(places.T)], variances[tuple(places.T)]

    def remaining_distortion(self) -> tuple[float, float, float]:
        """Estimate the root mean square error of the maps, in parts of the objectives' spans.

        From the errors, beyond noise, of what was predicted for the latest visits before they were made, averaged over
        the objectives by their weights. It was calibrated on generated maps of one quantity each
        (`daisy_bluesky.sampling.calibrate_stopping`), so there is none where an objective that counts is anything else
        than the map of a quantity.

        Returns
        -------
        tuple of float
            (estimate, low, high); low and high enclose the truth in 90% of maps. All nan where there is no estimate.
        """
        return self._errors.estimate() if self.estimated else UNKNOWN

    @property
    def estimated(self) -> bool:
        """Whether all objectives that count are such that what remains can be estimated: maps of quantities."""
        return all(each.kind == "map" for each in self.objectives if self._weights[each.name] > 0)

    def _settle(self, place: Place) -> None:
        """Make the field's state of one pixel agree with the visits to it."""
        found = self._measured.at(place)
        pixel = self._field.pixels[place]
        before = bool(pixel["sample"] != 0)
        if found is not None:
            values, noise = self._goals.of(found[:, 0], found[:, 1])
            if not before and len(self._measured) > len(self._start):
                self._errors.note(self._miss(place, values, noise))
            self._field.values[:, place[0], place[1]] = values
            self._field.noise[:, place[0], place[1]] = noise
        self._values[:, :, place[0], place[1]] = np.nan if found is None else found
        self._field.pixels["sample"][place] = found is not None
        self._field.pixels["closed"][place] = self._measured.visited(place) or not self._may_visit(place)
        self._field.visits[place] = self._measured.count(place)
        once_more = self._measured.dwell_of_another(place, self.dwell)
        self._room[place] = found is not None and once_more <= self._limit[place] * (1 + ROUNDING)
        self._field.again[place] = self._room[place] and self._may_visit(place)
        renew(self._field, self.model.regression, *place, before)

    def _may_visit(self, place: Place) -> bool:
        return bool(self._open[place] and self._allowed[place])

    def _miss(self, place: Place, values: NDArray[np.float64], noise: NDArray[np.float64]) -> float:
        """Return the squared error beyond noise of what was predicted for a place, in parts of the spans."""
        predicted = self._field.level[:, place[0], place[1]]
        missed = ((values - predicted) ** 2 - noise) / self._goals.scales**2
        missed = np.where(self._field.categorical, values != predicted, missed)
        weights = np.array(list(self._weights.values()))
        return float(missed @ weights / weights.sum())

    def _review(self) -> None:
        """Look anew at how far each objective's levels lie apart, and where its regions begin."""
        measured = np.isfinite(self._values).all(axis=(0, 1))
        if not measured.any():
            return
        values, noise = self._values[:, 0, measured], self._values[:, 1, measured]
        self._goals.learn(values, noise)
        for number, objective in enumerate(self.objectives):
            if objective.kind == "rare":
                self._field.importance[number] = rarity(self.labels, LARGEST_LABEL)
        self._field.values[:, measured], self._field.noise[:, measured] = self._goals.of(values, noise)
        self._weigh(combine=False)
        rebuild(self._field, self.model.regression, False)

    def _weigh(self, *, combine: bool = True) -> None:
        """Bring the scores in line with weights and scales."""
        weights = np.array(list(self._weights.values()))
        self._field.factors[:] = weights / self._goals.scales
        self._field.exploration[0] = self.model.regression.exploration * weights.sum()
        if combine:
            combine_all(self._field)

    def _next_of_start(self, n: int) -> list[Place]:
        """Return the next positions of the start pattern that may be and have not been visited, at most n."""
        while self._started < len(self._start) and self._measured.visited(self._start[self._started]):
            self._started += 1
        waiting = (place for place in self._start[self._started :] if not self._field.pixels["closed"][place])
        return [place for place, _ in zip(waiting, range(n), strict=False)]
