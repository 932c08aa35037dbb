"""Storage: the journal of every run, and tiled, where runs are read."""

from daisy_bluesky.storage._adapter import LBJAdapter
from daisy_bluesky.storage._catalog import Catalog, open_catalog
from daisy_bluesky.storage._configuration import DataFolder
from daisy_bluesky.storage._file_frames import file_frames
from daisy_bluesky.storage._find_run import find_run, start_documents
from daisy_bluesky.storage._inline import inline
from daisy_bluesky.storage._interrupts import interrupts_deferred
from daisy_bluesky.storage._journal_directory import (
    JOURNAL_DIRECTORY,
    tell_journal_directory,
    withhold_journal_directory,
)
from daisy_bluesky.storage._lock import being_written
from daisy_bluesky.storage._persistent_metadata import PersistentMetadata
from daisy_bluesky.storage._read_journal import final_events, read_journal
from daisy_bluesky.storage._read_stream import read_stream
from daisy_bluesky.storage._recover import recover
from daisy_bluesky.storage._replay import replay
from daisy_bluesky.storage._run_frames import run_frames
from daisy_bluesky.storage._run_journal import RunJournal
from daisy_bluesky.storage._run_source import RunSource
from daisy_bluesky.storage._series_files import write_series
from daisy_bluesky.storage._serve import serve_catalog
from daisy_bluesky.storage._uploader import Uploader, UploadStatus

__all__ = [
    "JOURNAL_DIRECTORY",
    "Catalog",
    "DataFolder",
    "LBJAdapter",
    "PersistentMetadata",
    "RunJournal",
    "RunSource",
    "UploadStatus",
    "Uploader",
    "being_written",
    "file_frames",
    "final_events",
    "find_run",
    "inline",
    "interrupts_deferred",
    "open_catalog",
    "read_journal",
    "read_stream",
    "recover",
    "replay",
    "run_frames",
    "serve_catalog",
    "start_documents",
    "tell_journal_directory",
    "withhold_journal_directory",
    "write_series",
]
