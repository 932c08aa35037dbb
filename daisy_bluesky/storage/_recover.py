"""Closing what a dead process left open."""

import os
import shutil
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

from daisy_bluesky.storage._document_file import DOCUMENTS_NAME, DocumentFile
from daisy_bluesky.storage._lines import Document, complete_lines, decode, encode
from daisy_bluesky.storage._lock import RunLock, has_lock
from daisy_bluesky.storage._payload import MIMETYPE, payload_path
from daisy_bluesky.storage._payload_reader import PayloadReader

REASON = "process died"


def recover(directory: Path | str) -> list[str]:
    """Close the runs that a dead process left behind.

    Every event whose line and payload reached the disk is kept; a torn last line is dropped, and the run is closed with
    a stop document, exit_status "fail", reason "process died". Runs that a living process writes are left alone. A
    folder in which nothing reached the disk, not even a start document, is removed.

    Parameters
    ----------
    directory : path-like
        Folder of all journals; it need not exist.

    Returns
    -------
    list of str
        The uids of the runs that were closed.
    """
    directory = Path(directory)
    folders = sorted(folder for folder in directory.glob("*") if has_lock(folder)) if directory.is_dir() else []
    return [folder.name for folder in folders if _recover(folder)]


def _recover(folder: Path) -> bool:
    lock = RunLock.take(folder)
    if lock is None:
        return False
    try:
        if not _has_documents(folder / DOCUMENTS_NAME):
            shutil.rmtree(folder)
            lock.abandon()
            return False
        left_open = _close_documents(folder / DOCUMENTS_NAME)
    except BaseException:
        lock.abandon()
        raise
    lock.release()
    return left_open


def _has_documents(path: Path) -> bool:
    return path.exists() and any(complete_lines(path))


def _close_documents(path: Path) -> bool:
    summary = _RunSummary(path.parent)
    for line in complete_lines(path):
        if not summary.add(line):
            break
    if summary.start is None or summary.stopped:
        return False
    died = path.stat().st_mtime
    os.truncate(path, summary.size)
    documents = DocumentFile(path)
    try:
        documents.append(encode("stop", summary.stop(died)))
        documents.sync()
    finally:
        documents.close()
    return True


class _RunSummary:
    """What a run holds up to the last document that is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.start: str | None = None
        self.stopped = False
        self.size = 0
        self._streams: dict[str, str] = {}
        self._events: dict[str, set[int]] = defaultdict(set)
        self._payloads: dict[str, PayloadReader] = {}

    def add(self, line: bytes) -> bool:
        """Count a line in; False when it, or the payload it points to, did not reach the disk."""
        try:
            name, document = decode(line)
        except ValueError:
            return False
        if not self._has_payload(name, document):
            return False
        self.size += len(line)
        if name == "start":
            self.start = document["uid"]
        elif name == "descriptor":
            self._streams[document["uid"]] = document["name"]
            self._events[document["name"]] |= set()
        elif name == "event":
            self._events[self._streams[document["descriptor"]]].add(document["seq_num"])
        elif name == "event_page":
            self._events[self._streams[document["descriptor"]]].update(document["seq_num"])
        self.stopped = name == "stop"
        return True

    def stop(self, time: float) -> Document:
        return {
            "uid": str(uuid4()),
            "run_start": self.start,
            "time": time,
            "exit_status": "fail",
            "reason": REASON,
            "num_events": {stream: len(seq_nums) for stream, seq_nums in self._events.items()},
        }

    def _has_payload(self, name: str, document: Document) -> bool:
        if name == "stream_resource" and document["mimetype"] == MIMETYPE:
            try:
                self._payloads[document["uid"]] = PayloadReader(self._folder / payload_path(document).name)
            except (OSError, ValueError):
                return False
        elif name == "stream_datum" and document["stream_resource"] in self._payloads:
            payload = self._payloads[document["stream_resource"]]
            return all(n in payload for n in range(document["seq_nums"]["start"], document["seq_nums"]["stop"]))
        return True
