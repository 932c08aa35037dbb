"""Regions of a specimen are numbered as they are visited."""

from pathlib import Path

from daisy_bluesky.storage import start_documents


def region_number(directory: Path) -> int:
    """Return the number of a new region: one more than the highest in a journal, from 1."""
    told = (start.get("multiframe", {}) for start in start_documents(directory))
    return 1 + max((int(settings.get("region_number", 0)) for settings in told), default=0)
