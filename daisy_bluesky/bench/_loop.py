"""What an event costs: the whole loop with journal and decision stream, beside a loop of bare messages."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from bluesky import Msg
from bluesky.utils import MsgGenerator

from daisy_bluesky.bench._engine import EventCost, event_cost, new_engine
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._prepared_specimen import PreparedSpecimen
from daisy_bluesky.bench._trained import COUNTS, virtual_classifier
from daisy_bluesky.bench._virtual_map import FRACTION, SHAPE
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.config import load_settings
from daisy_bluesky.devices import BeamDetector
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.session import Session, start
from daisy_bluesky.specimen import VirtualSpecimen

SEED = 0
BARE_EVENTS = 3000
REPEATS = 3
BATCH = 32
WANTED_COST = 2e-3
WANTED_RATIO = 4.0
UPLOAD_TIMEOUT = 120.0


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - the virtual specimen needs no data
    """Measure the CPU time of an event of an adaptive map in a whole session, and of a bare loop, in turn."""
    return compare(SHAPE, BARE_EVENTS, REPEATS, virtual_classifier())


def compare(shape: tuple[int, int], bare_events: int, repeats: int, classifier: PhaseClassifier) -> Iterator[Gate]:
    """Run both loops in turn over a field (rows, columns) whose spectra are drawn beforehand."""
    specimen = PreparedSpecimen(VirtualSpecimen.demo(shape, seed=SEED), COUNTS, SEED)
    with TemporaryDirectory() as folder, new_engine() as bare_engine:
        trained = Path(folder) / "classifier.npz"
        classifier.save(trained)
        settings = load_settings(data=Path(folder), shape=shape, seed=SEED)
        with start(settings=settings, instrument=VirtualInstrument(specimen)) as session:
            runs = []
            for _ in range(repeats):
                bare = event_cost(bare_engine, _bare_loop(session, bare_events))
                whole = event_cost(session.RE, _whole_loop(session, trained))
                session.uploader.flush(UPLOAD_TIMEOUT)
                batches = event_cost(session.RE, _whole_loop(session, trained, BATCH))
                session.uploader.flush(UPLOAD_TIMEOUT)
                runs.append((bare, whole, batches))
    what = (
        f"whole loop per event, journal and decisions, {shape[0]} x {shape[1]} at {FRACTION:.0%}, spectra drawn "
        f"beforehand, mean of a run, median of {repeats} runs"
    )
    return _gates(f"{what} (seed {SEED})", runs)


def _gates(what: str, runs: Sequence[tuple[EventCost, EventCost, EventCost]]) -> Iterator[Gate]:
    bare_cost, cost, batch_cost = (_median(costs) for costs in zip(*runs, strict=True))
    ratio = float(np.median([whole.mean / bare.mean for bare, whole, _ in runs]))
    yield Gate(
        f"{what}: CPU time of the RunEngine's thread",
        f"{cost.mean * 1e3:.2f} ms",
        f"<= {WANTED_COST * 1e3:g} ms",
        cost.mean <= WANTED_COST,
        f"median event {cost.median * 1e3:.2f} ms; whole process, fsync and upload to tiled included, "
        f"{cost.process * 1e3:.2f} ms",
        asdict(cost),
    )
    yield Gate(
        "the same, as a multiple of a bare loop of raw messages with the same devices",
        f"{ratio:.2f} x",
        f"<= {WANTED_RATIO:g} x",
        ratio <= WANTED_RATIO,
        f"bare loop {bare_cost.mean * 1e3:.2f} ms, median event {bare_cost.median * 1e3:.2f} ms",
        {"ratio": ratio, "bare": bare_cost.mean},
    )
    yield Gate(
        f"the same in batches of {BATCH}: CPU time per event of the RunEngine's thread",
        f"{batch_cost.mean * 1e3:.2f} ms",
        beside=f"whole process {batch_cost.process * 1e3:.2f} ms; one by one {cost.mean * 1e3:.2f} ms",
        figures=asdict(batch_cost),
    )


def _median(costs: Sequence[EventCost]) -> EventCost:
    mean, median, process = np.median([astuple(cost) for cost in costs], axis=0).tolist()
    return EventCost(mean, median, process)


def _detectors(session: Session) -> list[BeamDetector]:
    return [detector for detector in (session.haadf, session.eds) if detector is not None]


def _whole_loop(session: Session, trained: Path, batch: int = 1) -> MsgGenerator[str | None]:
    return adaptive_map(
        _detectors(session),
        session.probe,
        fraction=FRACTION,
        classifier=str(trained),
        policy="slads",
        seed=SEED,
        batch=batch,
    )


def _bare_loop(session: Session, events: int) -> MsgGenerator[None]:
    rows, columns = session.instrument.shape
    detectors = _detectors(session)
    yield Msg("open_run")
    for event in range(events):
        yield Msg("set", session.probe, (event // columns % rows, event % columns), group="move")
        yield Msg("wait", None, group="move")
        for detector in detectors:
            yield Msg("trigger", detector, group="expose")
        yield Msg("wait", None, group="expose")
        yield Msg("create", None, name="primary")
        for readable in (session.probe, *detectors, session.beam):
            yield Msg("read", readable)
        yield Msg("save")
        yield Msg("checkpoint")
    yield Msg("close_run")
