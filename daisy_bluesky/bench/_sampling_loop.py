"""The whole loop in batches: plan, journal and decisions, for dwell times too short for one question per event."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from daisy_bluesky.bench._engine import EventCost, event_cost
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._trained import virtual_classifier
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.config import load_settings
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.session import start
from daisy_bluesky.specimen import VirtualSpecimen

SEED = 0
SHAPE = (256, 256)
FRACTION = 0.2
DWELL_TIME = 2e-3
BATCH = 32
REPEATS = 3
WANTED_COST = 0.3e-3
UPLOAD_TIMEOUT = 120.0


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - the virtual specimen needs no data
    """Measure the CPU time of an event of a map in batches."""
    yield compare(SHAPE, REPEATS, virtual_classifier())


def compare(shape: tuple[int, int], repeats: int, classifier: PhaseClassifier) -> Gate:
    """Run the same map several times, each on a fresh field (rows, columns), after one that compiles everything."""
    with TemporaryDirectory() as folder:
        trained = Path(folder) / "classifier.npz"
        classifier.save(trained)
        costs = [_cost(shape, Path(folder) / str(number), trained) for number in range(repeats + 1)][1:]
    mean, median, process = np.median([list(asdict(cost).values()) for cost in costs], axis=0).tolist()
    return Gate(
        f"whole loop in batches of {BATCH}, plan, journal and decisions, {shape[0]} x {shape[1]} at {FRACTION:.0%}, "
        f"dwell {DWELL_TIME * 1e3:g} ms, seed {SEED}, median of {repeats} runs: CPU time of the RunEngine's thread per "
        "point, mean of a run",
        f"{mean * 1e3:.2f} ms",
        f"<= {WANTED_COST * 1e3:g} ms",
        mean <= WANTED_COST,
        f"median batch {median * 1e3:.2f} ms per point; whole process, virtual specimen and upload included, "
        f"{process * 1e3:.2f} ms",
        asdict(EventCost(mean, median, process)),
    )


def _cost(shape: tuple[int, int], folder: Path, trained: Path) -> EventCost:
    instrument = VirtualInstrument(VirtualSpecimen.demo(shape, seed=SEED))
    settings = load_settings(data=folder, shape=shape, seed=SEED)
    with start(settings=settings, instrument=instrument) as session:
        detectors = [detector for detector in (session.haadf, session.eds) if detector is not None]
        plan = adaptive_map(
            detectors,
            session.probe,
            dwell_time=DWELL_TIME,
            fraction=FRACTION,
            classifier=str(trained),
            policy="slads",
            seed=SEED,
            batch=BATCH,
        )
        cost = event_cost(session.RE, plan)
        session.uploader.flush(UPLOAD_TIMEOUT)
    return cost
