"""Document streams to journal, and what two streams must have in common to say the same."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import event_model
import numpy as np
import orjson

from daisy_bluesky.storage import RunJournal

NamedDocument = tuple[str, dict[str, Any]]

SPECTRUM = {"dtype": "array", "shape": [32], "dtype_numpy": "<u4", "source": "test"}
NUMBER = {"dtype": "number", "shape": [], "dtype_numpy": "<f8", "source": "test"}


def spectrum(seq_num: int, channels: int = 32) -> np.ndarray:
    """The spectrum of an event, known from its seq_num alone."""
    return np.random.default_rng(seq_num).poisson(2.0, channels).astype(np.uint32)


def spectrum_run(events: int, *, stop: bool = True, repeated: Iterable[int] = ()) -> list[NamedDocument]:
    """A run whose primary stream has a position and a spectrum, and whose decisions stream has a number.

    Events whose seq_num is in `repeated` are emitted again at the end, with another position.
    """
    run = event_model.compose_run()
    primary = run.compose_descriptor(name="primary", data_keys={"row": NUMBER, "spectrum": SPECTRUM})
    decisions = run.compose_descriptor(name="decisions", data_keys={"expected": NUMBER})
    documents: list[NamedDocument] = [("start", run.start_doc), ("descriptor", primary.descriptor_doc)]
    documents.append(("descriptor", decisions.descriptor_doc))

    def event(seq_num: int, row: float) -> NamedDocument:
        data = {"row": row, "spectrum": spectrum(seq_num)}
        stamps = {"row": 10.0 + seq_num, "spectrum": 20.0 + seq_num}
        return "event", primary.compose_event(data=data, timestamps=stamps, seq_num=seq_num, validate=False)

    for seq_num in range(1, events + 1):
        documents.append(event(seq_num, float(seq_num)))
        decision = decisions.compose_event(data={"expected": 0.5}, timestamps={"expected": 1.0}, seq_num=seq_num)
        documents.append(("event", decision))
    documents += [event(seq_num, -float(seq_num)) for seq_num in repeated]
    if stop:
        documents.append(("stop", run.compose_stop()))
    return documents


def journalled(directory: Path, documents: list[NamedDocument]) -> Path:
    """Write a run to a journal and close it; without a stop document, as a process that died leaves it."""
    journal = RunJournal(directory, documents[0][1])
    name = ""
    try:
        for name, document in documents:
            journal.record(name, document)
    finally:
        journal.close(complete=name == "stop")
    return journal.folder


def normalised(documents: Iterable[NamedDocument]) -> list[Any]:
    """Documents as JSON says them: arrays as lists, tuples as lists, NaN as None."""
    line = orjson.dumps(list(documents), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS, default=_list)
    return orjson.loads(line)


def last_wins(documents: list[NamedDocument]) -> list[NamedDocument]:
    """The documents with each event once: where it came first, as it was last."""
    streams = {d["uid"]: d["name"] for n, d in documents if n == "descriptor"}
    place: dict[tuple[str, int], int] = {}
    kept: list[NamedDocument] = []
    for name, document in documents:
        key = (streams[document["descriptor"]], document["seq_num"]) if name == "event" else None
        if key in place:
            kept[place[key]] = (name, document)
            continue
        if key is not None:
            place[key] = len(kept)
        kept.append((name, document))
    return kept


def _list(value: Any) -> Any:
    return value.tolist()
