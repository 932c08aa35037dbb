"""One stream of a run in tiled, as documents again."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

from tiled.structures.core import StructureFamily

from daisy_bluesky.storage._lines import Document
from daisy_bluesky.storage._payload import Payload, inline_descriptor
from daisy_bluesky.storage._payload_files import NamedDocument
from daisy_bluesky.storage._stored_payload import stored_values


class StoredStream:
    """Gives the descriptors and events of a stream in tiled.

    Parameters
    ----------
    stream : BlueskyEventStream
        A stream of a run.
    payloads : bool
        Put arrays back into their events.
    """

    def __init__(self, stream: Any, *, payloads: bool) -> None:
        self._parts = stream.base
        self._with_arrays = payloads
        self._descriptors: list[Document] = [dict(descriptor) for descriptor in stream.descriptors]
        self._payloads: dict[str, Payload] = {}
        if payloads:
            inlined = [inline_descriptor(descriptor) for descriptor in self._descriptors]
            self._descriptors = [descriptor for descriptor, _ in inlined]
            self._payloads = inlined[0][1]

    @property
    def time(self) -> float:
        """When the stream began, s since 1970."""
        return float(self._descriptors[0]["time"])

    def documents(self) -> Iterator[tuple[float, NamedDocument]]:
        """Yield (time, (name, document)) in the order of the events; the times never go back."""
        descriptors = iter(self._descriptors[1:])
        upcoming = next(descriptors, None)
        current = self._descriptors[0]
        now = float("-inf")
        for event in self._events():
            if now == float("-inf"):
                yield min(current["time"], event["time"]), ("descriptor", current)
            now = max(now, event["time"])
            while upcoming is not None and upcoming["time"] <= event["time"]:
                yield now, ("descriptor", upcoming)
                current, upcoming = upcoming, next(descriptors, None)
            uid = f"{current['uid']}/{event['seq_num']}"
            yield now, ("event", {**event, "descriptor": current["uid"], "uid": uid})
        if now == float("-inf"):
            yield current["time"], ("descriptor", current)

    def _events(self) -> Iterator[Document]:
        columns = self._columns()
        seq_nums, times = columns.pop("seq_num", []), columns.pop("time", [])
        stamps = {name.removeprefix("ts_"): columns.pop(name) for name in list(columns) if name.startswith("ts_")}
        columns |= self._arrays(len(seq_nums))
        rows = zip(*columns.values(), strict=True) if columns else repeat(())
        stamp_rows = zip(*(stamps.get(key, times) for key in columns), strict=True) if columns else repeat(())
        for seq_num, time, row, stamp_row in zip(seq_nums, times, rows, stamp_rows, strict=False):
            yield {
                "seq_num": seq_num,
                "time": time,
                "data": dict(zip(columns, row, strict=True)),
                "timestamps": dict(zip(columns, stamp_row, strict=True)),
            }

    def _columns(self) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name in sorted(key for key in self._parts if key.startswith("internal")):
            table = self._parts[name].read()
            columns |= {column: table[column].tolist() for column in table.columns}
        return columns

    def _arrays(self, events: int) -> dict[str, Iterator[Any]]:
        arrays = {}
        for key, data_key in self._descriptors[0]["data_keys"].items():
            wanted = self._with_arrays or not data_key.get("external")
            if wanted and key in self._parts and self._parts[key].structure_family == StructureFamily.array:
                node = self._parts[key]
                if node.shape[0] == events:
                    arrays[key] = stored_values(node, self._payloads.get(key))
        return arrays
