"""Documents as the TiledWriter wants them, without a deep copy of every event."""

from typing import Any

from bluesky_tiled_plugins.writing.tiled_writer import RESERVED_DATA_KEYS, RunNormalizer
from event_model import DocumentNames


class EventPassingNormalizer(RunNormalizer):
    """Brings documents to the latest schema; events that already are pass as they are, unchecked.

    The timestamps of payloads stay with their events, which a plain `RunNormalizer` would drop.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._current: set[str] = set()

    def descriptor(self, doc: dict[str, Any]) -> None:
        """Note whether a stream's events need any change."""
        referenced = (key.get("external") not in (None, "", "STREAM:") for key in doc["data_keys"].values())
        if not any(referenced) and not any(name in doc["data_keys"] for name in RESERVED_DATA_KEYS):
            self._current.add(doc["uid"])
        super().descriptor(doc)

    def event(self, doc: dict[str, Any]) -> None:
        """Pass an event on, changed where it must be."""
        if self._passes(doc):
            self.dispatcher.process(DocumentNames.event, doc)
        else:
            super().event(doc)

    def event_page(self, doc: dict[str, Any]) -> None:
        """Pass a page of events on as it is, or each of them changed where it must be."""
        if self._passes(doc):
            self.dispatcher.process(DocumentNames.event_page, doc)
        else:
            super().event_page(doc)

    def _passes(self, doc: dict[str, Any]) -> bool:
        """Tell whether events pass unchanged; they are valid, as whoever emitted them has checked."""
        return doc["descriptor"] in self._current and not doc.get("filled")
