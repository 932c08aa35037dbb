"""The adaptive map: after every event, the next probe position."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bluesky import preprocessors as bpp
from bluesky.protocols import Movable, NamedMovable, Readable
from bluesky.utils import MsgGenerator
from numpy.typing import ArrayLike

from daisy_bluesky.devices import ListScan
from daisy_bluesky.plans._continuation import book, go_on
from daisy_bluesky.plans._first_frame import first_frame
from daisy_bluesky.plans._grid import (
    checked_detectors,
    grid_shape,
    map_metadata,
    named,
    set_dwell_time,
    shared_beam,
)
from daisy_bluesky.plans._map_run import MapRun
from daisy_bluesky.plans._metadata import joined_metadata
from daisy_bluesky.plans._numbers import positive, whole
from daisy_bluesky.plans._policy import dwell_times, restore_dwell_times
from daisy_bluesky.plans._preparation import Preparation, prepare_new
from daisy_bluesky.plans._steering import Steering, hand
from daisy_bluesky.plans._stopping import StoppingRule, stopping_rule
from daisy_bluesky.plans._survey import checked_survey
from daisy_bluesky.plans._visit import Visit, staged_run
from daisy_bluesky.sampling import Objectives


def adaptive_map(
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    *,
    shape: Sequence[int] | None = None,
    dwell_time: float | None = None,
    fraction: float | None = None,
    max_dose: float | None = None,
    max_time: float | None = None,
    convergence: float | None = None,
    classifier: str | None = None,
    model: str | None = None,
    spectrum: str | None = None,
    start_fraction: float | None = None,
    policy: str | None = None,
    cost: dict[str, Any] | None = None,
    objectives: dict[str, float] | None = None,
    steering: Steering | None = None,
    survey: str | None = None,
    roi: ArrayLike | str | None = None,
    seed: int | None = None,
    batch: int = 1,
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
        Dwell time of all detectors, s; what they are set to, or were in the run it continues, when not given.
    fraction : float, optional
        Largest fraction of the pixels to measure, in (0, 1]; with ``"dose"`` the dwell time of so many visits, shared
        out as is best; 0.2 when not given.
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
        What decides. When not given, the cost of a visit does: ``"dose"`` where a `classifier` is given, the overhead
        of a visit (settling, read-out, fly-back) is no more than the dwell time and visits of half of it can be made;
        else ``"slads"``. A `dwell_time` given without a `cost` is taken at its word: every visit lasts so long. The
        start document and the line of progress say what decides, and why.
    cost : dict, optional
        What a visit costs: arguments of `daisy_bluesky.sampling.VisitCost`. What is missing is what the devices tell:
        ``settle_time`` and ``fly_back_time`` of the probe, ``minimum_dwell`` and ``read_out_time`` of detectors.
    objectives : dict of str to float, optional
        Instead of the phases alone, what the map is to show and how much each counts: ``{"Ti Ka": 1.0, "B K": 1.0,
        "phases": 0.5, "poor in Ti Ka": 2.0}``. Names are those of X-ray lines and core-loss edges on the detectors'
        energy axes, for their maps of net counts; ``"poor in ..."`` and ``"rich in ..."`` one of them, for the regions
        with little or much; ``"phases"``, ``"boundaries"`` and ``"rare phases"``. A pixel is visited again where the
        variance of its net counts leaves in doubt what it shows, as far as the beam's limits allow. `convergence` then
        is the root mean square error in parts of the maps' spans, and goes with maps alone.
    steering : Steering, optional
        Where the operator changes weights, vetoes or prefers regions, beforehand or while the map is measured. Where
        pixels are vetoed beforehand there is no first frame.
    survey : str, optional
        A survey image of the map, heeded as far as the spectra bear it out: the file of an image of the map's shape, or
        ``"acquire"`` to measure one first with the HAADF detector, 10 us a pixel. Not with `objectives`.
    roi : (rows, columns) bool or str, optional
        Region of interest: only these pixels are visited, and `fraction` and `convergence` refer to them alone. An
        array, or the file of an image that is 0 everywhere else; it is stored with the run's models. A survey image
        and `max_dose`, which is a mean dose, are of the whole map.
    seed : int, optional
        Seed of the start pattern, a whole number from 0 up; 0 when not given.
    batch : int
        How many positions to ask for at once: 1 asks after every event; more cost less time per event, for dwell times
        of milliseconds and less, and leave the map a little worse. With ``"dose"`` a first visit to all pixels is one
        fast frame, in stream ``frame``.
    continue_from : str, optional
        Uid (or its beginning) of a run that was cut short: its measurements and dose count, and its models, spectrum,
        start pattern and seed are used; so are its dwell times and limits, where no others are given. It must have
        been measured on the same field of the same specimen.
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
    batch, timeout = whole("batch", batch, 1), positive("timeout", timeout, "seconds")
    beam = shared_beam(detectors)
    given: dict[str, Any] = {"shape": shape, "spectrum": spectrum, "classifier": classifier, "model": model}
    given |= {"fraction": fraction, "start_fraction": start_fraction, "seed": seed, "batch": batch}
    given |= {"dwell_time": dwell_time, "policy": policy, "cost": cost}
    given |= {"objectives": objectives, "survey": survey, "roi": roi}
    if continue_from is None:
        preparation = prepare_new(detectors, probe, given)
    else:
        preparation = yield from go_on(continue_from, detectors, probe, beam, given)
    steered = hand(steering).bound(preparation.configuration, preparation.recommender.steered)
    limits = preparation.limits(fraction=fraction, max_dose=max_dose, max_time=max_time, convergence=convergence)
    rule = _rule(preparation, probe, limits, accounted=beam is not None)
    image = checked_survey(survey, preparation.configuration, detectors, probe, timeout, vetoed=steered.vetoes)
    asked = {**limits, "dwell_time": dwell_time, "survey": survey}
    metadata = joined_metadata(_metadata(preparation, detectors, probe, rule, asked), md)
    if beam is not None and preparation.unbooked is not None:
        book(beam, preparation.unbooked)

    yield from set_dwell_time(detectors, dwell_time, preparation.dwell_times)
    readables = [] if beam is None else [beam]
    measuring = (Visit if batch == 1 else ListScan)(detectors, probe, readables, timeout=timeout)
    frame = first_frame(preparation, detectors, probe, rule, timeout) if isinstance(measuring, ListScan) else None
    mapping = MapRun(preparation, measuring, rule, steered, image, frame)
    messages = mapping.messages()
    if rule.dwell is not None:
        messages = bpp.finalize_wrapper(messages, restore_dwell_times(dwell_times(detectors)))
    plan = staged_run(messages, [*readables, *detectors, probe, *mapping.scans], metadata)
    uid: str | None = yield from bpp.subs_wrapper(plan, preparation.recommender)
    return uid


def _metadata(
    preparation: Preparation,
    detectors: list[Readable[Any]],
    probe: NamedMovable[Any],
    rule: StoppingRule,
    asked: dict[str, Any],
) -> dict[str, Any]:
    """Return what the start document says, but for what the user adds."""
    recommender, beam = preparation.recommender, shared_beam(detectors)
    rows, columns = recommender.policy.shape
    points = max(1, rule.visits - recommender.visits)
    metadata = map_metadata("adaptive_map", detectors, probe, (rows, columns), points, asked) | preparation.metadata
    if rule.dwell is not None:
        metadata["dwell_budget"] = rule.dwell - recommender.spending.dwell
    return metadata | ({} if beam is None else {"beam_account": beam.account_uid})


def _rule(
    preparation: Preparation,
    probe: NamedMovable[Any],
    limits: dict[str, Any],
    *,
    accounted: bool,
) -> StoppingRule:
    configuration, visits = preparation.configuration, preparation.recommender.visits
    grid = grid_shape(probe, configuration["shape"])
    refers_to = {"pixels": preparation.pixels, "start_fraction": configuration["start_fraction"]}
    rule = stopping_rule(probe, grid, accounted=accounted, **refers_to, **limits)
    policy = preparation.recommender.policy
    if rule.distortion is not None and isinstance(policy, Objectives) and not policy.estimated:
        raise ValueError("convergence: what remains can be estimated of maps of lines and edges only; stop on fraction")
    if configuration["policy"] == "dose":
        rule = replace(rule, dwell=rule.visits * configuration["dwell_time"])
    if rule.enough(preparation.recommender, visits):
        before = preparation.continues[-1]
        raise ValueError(f"fraction: run {before} has its {rule.visits} points already; give a larger fraction")
    return rule
