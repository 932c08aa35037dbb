"""Storage: the journal of every run, and tiled, where runs are read."""

from daisy_bluesky.storage._find_run import find_run
from daisy_bluesky.storage._inline import inline
from daisy_bluesky.storage._read_journal import final_events, read_journal
from daisy_bluesky.storage._recover import recover
from daisy_bluesky.storage._run_journal import RunJournal

__all__ = ["RunJournal", "final_events", "find_run", "inline", "read_journal", "recover"]
