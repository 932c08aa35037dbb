"""The adaptive map: after every event, the next probe position."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from bluesky import Msg
from bluesky import preprocessors as bpp
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from daisy_bluesky.callbacks import NextProbe, Spending
from daisy_bluesky.devices import Beam, DoseLimitExceeded
from daisy_bluesky.plans._grid import (
    checked_detectors,
    grid_shape,
    map_metadata,
    named,
    set_dwell_time,
    shared_beam,
)
from daisy_bluesky.plans._policy import chosen_policy, dwell_times, restore_dwell_times
from daisy_bluesky.plans._preparation import Preparation, prepare_continued, prepare_new
from daisy_bluesky.plans._record import Record
from daisy_bluesky.plans._stopping import StoppingRule, stopping_rule
from daisy_bluesky.plans._visit import Visit, staged_run

START_FRACTION = 0.01


def adaptive_map(
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    *,
    shape: Sequence[int] | None = None,
    dwell_time: float | None = None,
    fraction: float = 0.2,
    max_dose: float | None = None,
    max_time: float | None = None,
    convergence: float | None = None,
    classifier: str | None = None,
    model: str | None = None,
    spectrum: str | None = None,
    start_fraction: float | None = None,
    policy: str | None = None,
    cost: dict[str, Any] | None = None,
    seed: int = 0,
    continue_from: str | None = None,
    timeout: float = 60.0,
    md: dict[str, Any] | None = None,
) -> MsgGenerator[str | None]:
    """Map the phases of a field, measuring next where the expected reduction in distortion is largest.

    Either every visit lasts the same and a pixel is visited once (``"slads"``), or it is decided where and how long,
    visit by visit (``"dose"``): where electrons are scarce and visits are cheap.

    Parameters
    ----------
    detectors : list of Readable
        What is triggered and read at every position; one of them measures spectra.
    probe : Movable
        Probe positioner that takes ``(row, column)`` in pixels.
    shape : (int, int), optional
        Rows and columns of the map, pixels; the whole field, or that of the run it continues, when not given.
    dwell_time : float, optional
        Dwell time of all detectors, s; what they are set to when not given.
    fraction : float
        Largest fraction of the pixels to measure, in (0, 1]; with ``"dose"`` the dwell time of so many visits, shared
        out as is best.
    max_dose : float, optional
        Stop at this mean dose over the map, e-/A^2.
    max_time : float, optional
        Stop after this time on the instrument's clock, s.
    convergence : float, optional
        Stop when the upper bound of the estimated remaining distortion falls to this value, a fraction of the pixels;
        the estimate is too low for structures finer than those the model was trained on.
    classifier : str, optional
        File of a trained `daisy_bluesky.classify.PhaseClassifier`; without one the map starts with no known phase
        and discovers them.
    model : str, optional
        File of a trained `daisy_bluesky.sampling.SladsModel`; the shipped one when not given.
    spectrum : str, optional
        Data key of the spectra that decide; the first detector's that measures any when not given.
    start_fraction : float, optional
        Fraction of the pixels measured before the first adaptive decision, in (0, fraction].
    policy : {"slads", "dose"}, optional
        What decides. When not given, ``"dose"`` where `cost` and `classifier` are given and the overhead of a visit is
        no more than the dwell time, else ``"slads"``.
    cost : dict, optional
        What a visit costs, with ``"dose"``: arguments of `daisy_bluesky.sampling.VisitCost`.
    seed : int
        Seed of the start pattern, a whole number from 0 up.
    continue_from : str, optional
        Uid (or its beginning) of a run that was cut short: its measurements and dose count, and its models, spectrum,
        start pattern and seed are used.
    timeout : float
        Longest wait for a move or an exposure, s.
    md : dict, optional
        Metadata.

    Yields
    ------
    msg : Msg

    Returns
    -------
    str or None
        Uid of the run; the ``reason`` of its stop document says which limit has ended it.

    Raises
    ------
    ValueError
        One line naming the parameter that is wrong; nothing has been exposed.

    References
    ----------
    Hujsak, Roth, Dravid, Microsc. Microanal. 24 (2018), DAISY; Zhang et al., Microsc. Microanal. 24 (2018), EDS-SLADS.
    """
    detectors, probe = checked_detectors(detectors), named(probe)
    before = dwell_times(detectors)
    one_visit = dwell_time or next(iter(before.values()), None)
    if continue_from is None:
        _check_seed(seed)
        preparation = prepare_new(
            detectors,
            probe,
            grid_shape(probe, shape),
            spectrum=spectrum,
            classifier=classifier,
            model=model,
            start_fraction=_start_of(fraction, start_fraction),
            seed=seed,
            policy=chosen_policy(policy, cost, dwell_time=one_visit, classifier=classifier),
        )
    else:
        given = {"shape": shape, "classifier": classifier, "model": model, "spectrum": spectrum}
        preparation = prepare_continued(continue_from, detectors, given)
    grid = grid_shape(probe, preparation.configuration["shape"])
    beam = shared_beam(detectors)
    limits = {"max_dose": max_dose, "max_time": max_time, "convergence": convergence}
    start = preparation.configuration["start_fraction"]
    rule = stopping_rule(probe, grid, accounted=beam is not None, start_fraction=start, fraction=fraction, **limits)
    if preparation.configuration["policy"] == "dose" and one_visit is not None:
        rule = replace(rule, dwell=rule.visits * one_visit)
    readables = [] if beam is None else [beam]
    visit = Visit(detectors, probe, readables, timeout=timeout)
    points = max(0, rule.visits - preparation.recommender.visits)
    arguments = {"fraction": fraction, **limits, "dwell_time": dwell_time}
    metadata = map_metadata("adaptive_map", detectors, probe, grid, points, arguments)
    if beam is not None and preparation.continues:
        _restore_dose(beam, preparation.recommender.spending)

    yield from set_dwell_time(detectors, dwell_time)
    plan = staged_run(
        bpp.finalize_wrapper(_map(preparation, visit, rule), lambda: restore_dwell_times(before))
        if rule.dwell is not None
        else _map(preparation, visit, rule),
        [*readables, *detectors, probe],
        {**metadata, **preparation.metadata, **(md or {})},
    )
    uid: str | None = yield from bpp.subs_wrapper(plan, preparation.recommender)
    return uid


def _map(preparation: Preparation, visit: Visit, rule: StoppingRule) -> MsgGenerator[str | None]:
    yield from _keep_models(preparation)
    reason = yield from _measure(preparation.recommender, visit, rule)
    yield from _keep_result(preparation.recommender)
    return reason


def _restore_dose(beam: Beam, spending: Spending) -> None:
    # this very session may have measured the earlier runs: what the beam accounts already must not count twice
    field = beam.instrument.shape
    beam.restore(
        np.maximum(beam.dwell_map, spending.dwell_map(field)),
        np.maximum(beam.visits, spending.visit_map(field)),
        np.maximum(beam.charge_map, spending.charge_map(field)),
    )


def _start_of(fraction: float, start_fraction: float | None) -> float:
    if start_fraction is None:
        return min(START_FRACTION, fraction)
    if not 0 < start_fraction <= fraction:
        raise ValueError(f"start_fraction: {start_fraction} is not in (0, fraction = {fraction}]; give another")
    return start_fraction


def _check_seed(seed: int) -> None:
    if int(seed) != seed or seed < 0:
        raise ValueError(f"seed: {seed} is not a whole number from 0 up")


def _measure(recommender: NextProbe, visit: Visit, rule: StoppingRule) -> MsgGenerator[str]:
    decisions = Record("decisions", "recommender")
    measured = recommender.visits
    decision = recommender.decide()
    while (reason := rule.reason(recommender, measured)) is None and decision:
        try:
            exposed = yield from visit(decision.row, decision.column, decision.dwell)
        except DoseLimitExceeded as limit:
            return f"limit of the beam: {limit}"
        measured += 1
        if exposed and recommender.visits != measured:
            raise RuntimeError(
                "an event was saved but did not reach the recommender; another subscriber raised before it"
            )
        decision = recommender.decide()
        decisions.put(vars(decision))
        yield from _save(decisions)
    return reason or "nothing left to measure"


def _keep_models(preparation: Preparation) -> MsgGenerator[None]:
    models = Record("models", "recommender")
    models.put({name: np.frombuffer(blob, dtype=np.uint8) for name, blob in preparation.models.items()})
    yield from _save(models)


def _keep_result(recommender: NextProbe) -> MsgGenerator[None]:
    result = Record("result", "recommender")
    result.put(
        {
            "phase_map": recommender.policy.reconstruct().astype(np.int16),
            "visit_labels": recommender.visit_labels,
            "mean_spectra": recommender.labeller.mean_spectra(),
        }
    )
    yield from _save(result)


def _save(record: Record) -> MsgGenerator[None]:
    yield Msg("create", None, name=record.name)
    yield Msg("read", record)
    yield Msg("save")
