"""A run once more, as its documents."""

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daisy_bluesky.storage._inline import inline
from daisy_bluesky.storage._payload import MIMETYPE
from daisy_bluesky.storage._payload_files import NamedDocument
from daisy_bluesky.storage._read_journal import documents_path, final_events
from daisy_bluesky.storage._stored_stream import StoredStream


def replay(run: Any, *, payloads: bool = True) -> Iterator[NamedDocument]:
    """Yield the documents of a stored run as its devices made them, in the order of acquisition, each event once.

    Parameters
    ----------
    run : BlueskyRun or path-like
        A run of the tiled catalog, or the folder of its journal.
    payloads : bool
        False to leave arrays out, which is faster; descriptors then say where they are.

    Yields
    ------
    (name, document)
        From a journal, the very documents (an event that the RunEngine emitted again, as it was last). From tiled,
        events have uids of their own and streams are interleaved by time; a descriptor comes before its first event.

    Raises
    ------
    FileNotFoundError
        If there is no such journal.
    ValueError
        If the journal is damaged.
    """
    if not isinstance(run, str | Path):
        yield from _from_tiled(run, payloads=payloads)
    elif payloads:
        yield from inline(final_events(run), documents_path(run).parent)
    else:
        yield from _without_payloads(run)


def _from_tiled(run: Any, *, payloads: bool) -> Iterator[NamedDocument]:
    metadata = run.metadata_copy()[0]
    yield "start", metadata["start"]
    streams = [StoredStream(run[name], payloads=payloads) for name in run]
    order = sorted(range(len(streams)), key=lambda place: streams[place].time)
    merged = heapq.merge(*(streams[place].documents() for place in order), key=lambda item: item[0])
    for _, document in merged:
        yield document
    if metadata.get("stop"):
        yield "stop", metadata["stop"]


def _without_payloads(path: Path | str) -> Iterator[NamedDocument]:
    files = set()
    for name, document in final_events(path):
        if name == "stream_resource" and document["mimetype"] == MIMETYPE:
            files.add(document["uid"])
        elif name != "stream_datum" or document["stream_resource"] not in files:
            yield name, document
