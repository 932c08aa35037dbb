"""Registering LBJ files with tiled; importing this module makes every TiledWriter in the process know them."""

from typing import Any

from bluesky_tiled_plugins.writing.consolidators import CONSOLIDATOR_REGISTRY, ConsolidatorBase, Patch

from daisy_bluesky.storage._payload import MIMETYPE

__all__ = ["LBJConsolidator"]


class LBJConsolidator(ConsolidatorBase):
    """Tells tiled the shape of a payload from its stream_datum documents.

    Rows are counted by where they are, not by how often they were announced, because an event that the RunEngine emits
    again replaces its payload.
    """

    supported_mimetypes = {MIMETYPE}  # noqa: RUF012
    _num_rows: int

    def consume_stream_datum(self, doc: dict[str, Any]) -> Patch:
        """Take in the rows of one stream_datum document."""
        start, stop = doc["indices"]["start"], doc["indices"]["stop"]
        self._num_rows = max(self._num_rows, stop)
        seq_nums = range(doc["seq_nums"]["start"], doc["seq_nums"]["stop"])
        self._seqnums_to_indices_map.update(zip(seq_nums, range(start, stop), strict=True))
        item = self.shape[1:]
        return Patch(offset=(start, *(0 for _ in item)), shape=(stop - start, *item))


CONSOLIDATOR_REGISTRY[MIMETYPE] = LBJConsolidator
