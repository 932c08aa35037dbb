"""Feeding documents to tiled, each event once."""

from collections.abc import Iterable
from typing import Any

from bluesky_tiled_plugins.writing.tiled_writer import TiledWriter

import daisy_bluesky.storage.consolidator  # noqa: F401  (tiled learns of LBJ files)
from daisy_bluesky.storage._lines import Document
from daisy_bluesky.storage._normalizer import EventPassingNormalizer
from daisy_bluesky.storage._payload_files import NamedDocument


class EventFeed:
    """Writes one run into tiled and counts its events.

    Parameters
    ----------
    catalog : CatalogOfBlueskyRuns
    batch : int
        Events per request.

    Attributes
    ----------
    rows : dict
        Number of events by stream.
    repeated : bool
        True when an event came again, which tiled's tables cannot replace: the run is then to be fed anew.
    """

    def __init__(self, catalog: Any, batch: int) -> None:
        self.rows: dict[str, int] = {}
        self.repeated = False
        # SQLite tables hold no arrays: max_array_size=0 sends even short ones to zarr
        self._write = TiledWriter(catalog, normalizer=EventPassingNormalizer, batch_size=batch, max_array_size=0)
        self._streams: dict[str, str] = {}
        self._last: dict[str, int] = {}

    def __call__(self, name: str, document: Document) -> None:
        """Feed one document."""
        if name == "descriptor":
            self._streams[document["uid"]] = document["name"]
            self.rows.setdefault(document["name"], 0)
        elif name in ("event", "event_page") and not self._is_new(name, document):
            self.repeated = True
            return
        self._write(name, document)

    def _is_new(self, name: str, document: Document) -> bool:
        seq_nums = [document["seq_num"]] if name == "event" else document["seq_num"]
        stream = self._streams[document["descriptor"]]
        if seq_nums[0] <= self._last.get(stream, 0):
            return False
        self._last[stream] = seq_nums[-1]
        self.rows[stream] += len(seq_nums)
        return True


def count_rows(documents: Iterable[NamedDocument]) -> dict[str, int]:
    """Count the events of a run by stream, of documents in which no event comes twice."""
    streams: dict[str, str] = {}
    rows: dict[str, int] = {}
    for name, document in documents:
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
            rows.setdefault(document["name"], 0)
        elif name == "event":
            rows[streams[document["descriptor"]]] += 1
        elif name == "event_page":
            rows[streams[document["descriptor"]]] += len(document["seq_num"])
    return rows


def stored_rows(run: Any) -> dict[str, int]:
    """Count the events of a run in tiled by stream; empty when tiled has no stop document of it."""
    if not run.metadata.get("stop"):
        return {}
    rows = {}
    for name in run:
        stream = run[name].base
        tables = sorted(key for key in stream if key == "internal" or key == "internal_0")
        rows[name] = sum(len(stream[table].read(["seq_num"])) for table in tables)
    return rows
