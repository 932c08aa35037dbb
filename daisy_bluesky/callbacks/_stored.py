"""Builds recommenders from stored runs and drives them through their documents."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from event_model import pack_event_page, unpack_event_page

from daisy_bluesky.callbacks._next_probe import NextProbe

Document = tuple[str, Mapping[str, Any]]


def stored_models(documents: Iterable[Document]) -> tuple[Mapping[str, Any], dict[str, bytes]]:
    """Return the start document of an adaptive map and the models it stored.

    Parameters
    ----------
    documents : iterable of (name, document)
        The run, payloads inline; read only as far as needed.

    Raises
    ------
    ValueError
        The run is no adaptive map, or ended before its models were stored.
    """
    start: Mapping[str, Any] = {}
    streams: dict[str, str] = {}
    for name, document in documents:
        if name == "start":
            start = document
            if "recommender" not in start:
                raise ValueError(f"run {start['uid']} is no adaptive map ({start.get('plan_name', 'unnamed plan')})")
        elif name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name == "event" and streams[document["descriptor"]] == "models":
            data = document["data"]
            return start, {key: np.asarray(data[key], dtype=np.uint8).tobytes() for key in data}
    raise ValueError(
        f"run {start.get('uid', '')} ended before its models were stored; nothing in it can be decided again"
    )


def drive(recommender: NextProbe, documents: Iterable[Document]) -> None:
    """Feed a stored run into a recommender, in the batches it was asked for in."""
    for name, document in as_asked(documents):
        recommender(name, document)  # type: ignore[arg-type]


def as_asked(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield the documents of a run with its visits as the recommender met them: one by one, or a batch on one page.

    However they were stored since, the visits between two batches of decisions are one batch.
    """
    batch, kinds, visits = 1, dict[str, str](), list[Any]()
    for name, document in single_events(documents):
        if name == "start":
            batch = int(document["recommender"].get("batch", 1))
        elif name == "descriptor":
            kinds[document["uid"]] = document["name"]
        elif name == "event" and batch > 1 and kinds[document["descriptor"]] == "primary":
            visits.append(document)
            continue
        if visits and name in ("event", "stop"):
            yield "event_page", pack_event_page(*visits)
            visits = []
        yield name, document
    if visits:
        yield "event_page", pack_event_page(*visits)


def single_events(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield the documents of a run with each event on its own, those of a page one after the other."""
    for name, document in documents:
        if name == "event_page":
            for event in unpack_event_page(document):  # type: ignore[arg-type]
                yield "event", event
        else:
            yield name, document
