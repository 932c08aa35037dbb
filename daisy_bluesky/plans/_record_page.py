"""Many records of what a plan itself knows, in one message."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from event_model.documents import PartialEventPage

from daisy_bluesky.plans._record import Record


class RecordPage(Record):
    """A record whose values come by the page: one event for each row."""

    def __init__(self, name: str, source: str) -> None:
        super().__init__(name, source)
        self._rows: list[Mapping[str, Any]] = []

    def put_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set what is collected next: numbers by data key, for each event."""
        self._rows = list(rows)
        self.put(rows[0])

    def describe_collect(self) -> dict[str, dict[str, Any]]:
        """Return the data keys of the rows put last."""
        return self.describe()

    def collect_pages(self) -> Iterator[PartialEventPage]:
        """Yield the rows put last as one page."""
        stamps = {key: entry["timestamp"] for key, entry in self.read().items()}
        yield PartialEventPage(
            time=[],
            data={key: [row[key] for row in self._rows] for key in stamps},
            timestamps={key: [stamp] * len(self._rows) for key, stamp in stamps.items()},
        )
