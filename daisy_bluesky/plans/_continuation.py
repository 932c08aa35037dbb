"""Gets a recommender ready to go on with a run that was cut short."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluesky import Msg
from bluesky.protocols import NamedMovable, Readable
from bluesky.utils import InvalidCommand, MsgGenerator

from daisy_bluesky.callbacks import Spending, drive, make_recommender, stored_models
from daisy_bluesky.config import load_settings
from daisy_bluesky.devices import Beam
from daisy_bluesky.plans._preparation import Preparation
from daisy_bluesky.storage import JOURNAL_DIRECTORY, being_written, find_run, replay

Document = tuple[str, Mapping[str, Any]]


def go_on(
    uid: str,
    detectors: Sequence[Readable[Any]],
    probe: NamedMovable[Any],
    beam: Beam | None,
    asked: Mapping[str, Any],
) -> MsgGenerator[Preparation]:
    """Prepare the continuation of a run, and say what the beam's account does not know of yet."""
    told = yield from journal_directory()
    preparation = prepare_continued(uid, told or load_settings().journal_directory, detectors, probe, asked)
    if told is not None and beam is not None and preparation.continued.get("beam_account") != beam.account_uid:
        preparation = replace(preparation, unbooked=preparation.recommender.spending)
    return preparation


def journal_directory() -> MsgGenerator[Path | None]:
    """Ask the RunEngine where its runs are: where no session told it, as configured; None where no RunEngine asks."""
    try:
        told: Path | None = yield Msg(JOURNAL_DIRECTORY)
    except InvalidCommand:
        return load_settings().journal_directory
    return told


def prepare_continued(
    uid: str,
    directory: Path,
    detectors: Sequence[Readable[Any]],
    probe: NamedMovable[Any],
    given: Mapping[str, Any],
) -> Preparation:
    """Prepare a map that goes on with a run that was cut short, with all that was measured and dosed known.

    Parameters
    ----------
    uid : str
        The run, or the beginning of its uid.
    directory : Path
        Where the journal is.
    detectors : sequence of Readable
        What measures now.
    probe : NamedMovable
        Where it is measured now.
    given : mapping of str to Any
        What the user asks of ``shape``, ``spectrum``, ``classifier``, ``model``, ``survey``, ``roi``, ``seed``,
        ``start_fraction`` (None leaves it to the run) and ``batch``.

    Raises
    ------
    ValueError
        The run is not in the journal, is no adaptive map, or was measured otherwise than now asked for.
    """
    if not isinstance(uid, str):
        raise ValueError(f"continue_from: {uid!r} is not the uid of a run, or its beginning")
    latest = find_run(uid, directory)
    if being_written(latest):
        raise ValueError(f"continue_from: run {uid} is still being measured; wait until it has ended")
    start, models = stored_models(replay(latest))
    configuration = {**start["recommender"], "batch": given["batch"]}
    _check_agreement(uid, configuration, given)
    check_field(uid, start, probe)
    _check_spectra(uid, configuration, detectors)
    lineage = [*start.get("continues", []), start["uid"]]
    recommender = make_recommender(configuration, models)
    for earlier in lineage:
        drive(recommender, replay(find_run(earlier, directory)))
    dwell_times = _measured_dwell_times(detectors, replay(latest, payloads=False))
    return Preparation(recommender, configuration, models, lineage, start, dwell_times)


def _check_agreement(uid: str, configuration: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    for name in ("classifier", "model", "policy", "cost", "objectives", "survey", "roi"):
        if given[name] is not None:
            raise ValueError(f"{name}: run {uid} goes on with what it stored; leave {name} out")
    for name in ("shape", "spectrum", "seed", "start_fraction"):
        if given[name] is not None and _comparable(given[name]) != _comparable(configuration[name]):
            raise ValueError(f"{name}: run {uid} was measured with {configuration[name]}; leave {name} out")


def _check_spectra(uid: str, configuration: Mapping[str, Any], detectors: Sequence[Readable[Any]]) -> None:
    described: dict[str, Any] = {}
    for detector in detectors:
        described |= detector.describe()  # type: ignore[arg-type]
    wanted = {configuration["spectrum"]: configuration["channels"]}
    wanted |= {field["spectrum"]: field["axis"][2] for field in configuration.get("fields", ()) if "spectrum" in field}
    for key, channels in wanted.items():
        if key not in described:
            raise ValueError(f"spectrum: run {uid} goes by {key}, which none of these detectors measures; add the one")
        if (now := int(described[key]["shape"][0])) != channels:
            raise ValueError(f"continue_from: {key} has {now} channels, run {uid} {channels}")


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) else value


def check_field(uid: str, start: Mapping[str, Any], probe: NamedMovable[Any]) -> None:
    """Refuse to go on with a run on another field or specimen.

    Raises
    ------
    ValueError
        It was measured elsewhere.
    """
    measured, here = start.get("field"), getattr(probe, "field", None)
    if measured != here:
        raise ValueError(
            f"continue_from: run {uid} was measured on another field or specimen ({_words(measured)}) than is under "
            f"the probe ({_words(here)}); bring that back, or begin a new map"
        )


def _words(field: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in (field or {}).items()) or "unknown"


def _measured_dwell_times(detectors: Sequence[Readable[Any]], documents: Iterable[Document]) -> dict[str, float]:
    """Return the dwell times, s, that a run's descriptors tell of detectors."""
    configuration: dict[str, Any] = {}
    for name, document in documents:
        if name == "descriptor":
            for entry in document.get("configuration", {}).values():
                configuration |= entry["data"]
    told = {detector.name: configuration.get(f"{detector.name}_dwell_time") for detector in detectors}
    return {name: float(seconds) for name, seconds in told.items() if seconds is not None}


def book(beam: Beam, spending: Spending) -> None:
    """Add what earlier runs did to the field to the beam's account."""
    field = beam.instrument.shape
    beam.restore(
        beam.dwell_map + spending.dwell_map(field),
        beam.visits + spending.visit_map(field),
        beam.charge_map + spending.charge_map(field),
        used=beam.dwell_map + spending.dwell_map(field, surveys=False),
    )
