"""A whole run from the first electron to its replay from tiled: memory, identity of the decisions, speed."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._session_run import Answer, Request, run_session
from daisy_bluesky.bench._trained import COUNTS, virtual_classifier
from daisy_bluesky.bench._virtual_map import SHAPE
from daisy_bluesky.callbacks import check_decisions
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.storage import open_catalog, replay

SEED = 0
EVENTS = 20_000
WANTED_MEMORY = 1e9
WANTED_CLASSIFYING = 500.0
WANTED_READING = 1000.0


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - the virtual specimen needs no data
    """Measure one run in a process of its own, then replay it from tiled."""
    return follow(SHAPE, EVENTS, virtual_classifier())


def follow(
    shape: tuple[int, int], events: int, classifier: PhaseClassifier, *, train_too: bool = True
) -> Iterator[Gate]:
    """Follow one run of so many events over a field (rows, columns) from its beginning to its replay.

    Parameters
    ----------
    shape : tuple of int
        Field, (rows, columns), pixels.
    events : int
        Number of visits.
    classifier : PhaseClassifier
        The classifier of the run.
    train_too : bool
        Also measure the memory of a process that trains the classifier itself, which takes another run.
    """
    with TemporaryDirectory() as folder:
        trained = Path(folder) / "classifier.npz"
        classifier.save(trained)
        answer = run_session(Request(folder, str(trained), False, shape, events, COUNTS, SEED))
        training = _train_and_run(shape, events) if train_too else None
        yield _memory(shape, events, classifier.channels, answer, training)
        yield from _replay(Path(folder), answer.uid)


def _train_and_run(shape: tuple[int, int], events: int) -> Answer:
    with TemporaryDirectory() as folder:
        return run_session(Request(folder, str(Path(folder) / "trained.npz"), True, shape, events, COUNTS, SEED))


def _memory(shape: tuple[int, int], events: int, channels: int, answer: Answer, training: Answer | None) -> Gate:
    figures = {"peak_memory": float(answer.peak_memory), "memory_before": float(answer.memory_before)}
    beside = f"{answer.memory_before / 1e9:.2f} GB before the run began"
    if training is not None:
        figures["peak_memory_training"] = float(training.peak_memory)
        beside += f"; {training.peak_memory / 1e9:.2f} GB where the same process trains the classifier first"
    return Gate(
        f"peak resident memory of a session, {shape[0]} x {shape[1]} x {channels}, {events} events "
        f"({events / (shape[0] * shape[1]):.0%} of the pixels, seed {SEED}), virtual specimen, journal, catalog and "
        "upload included, classifier read from a file",
        f"{answer.peak_memory / 1e9:.2f} GB",
        f"<= {WANTED_MEMORY / 1e9:g} GB",
        answer.peak_memory <= WANTED_MEMORY,
        beside,
        figures,
    )


def _replay(folder: Path, uid: str) -> Iterator[Gate]:
    with open_catalog(folder) as catalog:
        began = process_time()
        check = check_decisions(lambda run: replay(catalog.client[run]), uid)
        classifying = check.decisions / (process_time() - began)
        inline, slim = (_reading(catalog.client[uid], payloads=payloads) for payloads in (True, False))
    what = f"replay of {check.decisions} events from tiled (seed {SEED})"
    yield Gate(
        f"{what}: decisions that came out otherwise (position, label, expected reduction, phases)",
        str(check.different),
        "0",
        check.different == 0,
        check.first,
        {"decisions": float(check.decisions), "different": float(check.different)},
    )
    yield Gate(
        f"{what}, with classification: events/s of CPU time",
        f"{classifying:.0f}",
        f">= {WANTED_CLASSIFYING:g}",
        classifying >= WANTED_CLASSIFYING,
        figures={"events_per_second": classifying},
    )
    yield Gate(
        f"{what}, without classification, spectra in their events: events/s of CPU time",
        f"{inline:.0f}",
        f">= {WANTED_READING:g}",
        inline >= WANTED_READING,
        f"without the spectra {slim:.0f}",
        {"events_per_second": inline, "without_spectra": slim},
    )


def _reading(run: object, *, payloads: bool) -> float:
    began = process_time()
    streams: dict[str, str] = {}
    events = 0
    for name, document in replay(run, payloads=payloads):
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name == "event":
            events += streams[document["descriptor"]] == "primary"
    return events / (process_time() - began)
