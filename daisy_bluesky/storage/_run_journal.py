"""The files of one run, as it is written."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from daisy_bluesky.storage._document_file import DOCUMENTS_NAME, DocumentFile
from daisy_bluesky.storage._group_sync import GroupSync
from daisy_bluesky.storage._lines import Document, encode, name_infinities
from daisy_bluesky.storage._lock import RunLock
from daisy_bluesky.storage._payload import Payload, find_payloads, slim_descriptor
from daisy_bluesky.storage._payload_files import NamedDocument, PayloadFiles


class RunJournal:
    """Writes one run: slim documents to ``documents.jsonl``, arrays to one LBJ file per stream and data key.

    When `record` returns, what it was given is with the operating system and survives the death of the process;
    at an interval it is brought to the disk. A payload is written before the event that it belongs to.

    Parameters
    ----------
    directory : path-like
        Folder of all journals; the run's own folder, named by its uid, is made in it.
    start : dict
        The run's start document; it is not written, `record` it.
    sync_interval : float
        Longest time between two fsyncs while documents arrive, s.

    Raises
    ------
    OSError
        If the folder cannot be made or written, naming it.
    ValueError
        If the run is already being written.
    """

    def __init__(self, directory: Path | str, start: Document, *, sync_interval: float = 0.5) -> None:
        self.folder = Path(directory).absolute() / start["uid"]
        self._payloads: dict[str, dict[str, Payload]] = {}
        try:
            self.folder.mkdir(parents=True)
            lock = RunLock.take(self.folder)
            self._documents = DocumentFile(self.folder / DOCUMENTS_NAME)
        except OSError as error:
            raise _explained(error, self.folder) from None
        if lock is None:
            raise ValueError(f"run {start['uid']} is being written by another process; give the new run another uid")
        self._lock = lock
        self._complete = False
        self._failure: OSError | None = None
        self._sync = GroupSync(sync_interval)
        self._files = PayloadFiles(self.folder, start["uid"], self._sync.add)
        self._sync.add(self.folder)
        self._sync.add(self._documents.path)

    def record(self, name: str, document: Document) -> list[NamedDocument]:
        """Write a document of this run and return the slim documents that stand for it.

        Raises
        ------
        OSError
            If the disk is full or failed, naming the run's folder; then at every later document but the last, too.
        ValueError
            If a payload is not as its descriptor declares.
        """
        if self._failure is not None and name != "stop":
            raise self._failure
        try:
            slim = list(self._slim(name, document))
            self._documents.append(b"".join([encode(*item) for item in slim]))
            self._sync.wrote()
        except OSError as error:
            # kept, because the engine does not hear of what a monitored signal's thread raises
            self._failure = _explained(error, self.folder)
            raise self._failure from None
        return slim

    def close(self, *, complete: bool = True) -> None:
        """Seal the payload files, bring everything to the disk and release the lock.

        Parameters
        ----------
        complete : bool
            False when the stop document could not be written: the run is then left for `recover`.

        Raises
        ------
        OSError
            If the disk is full or failed, naming the run's folder.
        """
        with ExitStack() as stack:
            stack.callback(self._documents.close)
            stack.callback(self._let_go)
            try:
                with ExitStack() as files:
                    files.callback(self._sync.stop)
                    files.callback(self._files.close)
            except OSError as error:
                raise _explained(error, self.folder) from None
            self._complete = complete

    def discard(self) -> None:
        """Remove the run's folder with all that is in it and release the lock: there is no such run."""
        with ExitStack() as stack:
            stack.callback(self._lock.abandon)
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            stack.callback(self._documents.close)
            stack.callback(self._files.close)
            with contextlib.suppress(OSError):  # a disk that failed; what it was asked to keep is not wanted
                self._sync.stop()

    def _let_go(self) -> None:
        if self._complete:
            self._lock.release()
        else:
            self._lock.abandon()

    def _slim(self, name: str, document: Document) -> Iterator[NamedDocument]:
        if name in ("event", "event_page"):
            yield from self._slim_events(name, document)
        elif name == "descriptor":
            payloads = self._payloads[document["uid"]] = find_payloads(document)
            yield name, slim_descriptor(document, payloads)
        else:
            yield name, document

    def _slim_events(self, name: str, document: Document) -> Iterator[NamedDocument]:
        data = dict(document["data"])
        descriptor, seq_num = document["descriptor"], document["seq_num"]
        for key, payload in self._payloads[descriptor].items():
            value = data.pop(key)
            if name == "event":
                yield from self._files.store(payload, descriptor, [seq_num], [value])
            else:
                yield from self._files.store(payload, descriptor, seq_num, value)
        name_infinities(data)
        yield name, {**document, "data": data}


def _explained(error: OSError, folder: Path) -> OSError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OSError(
        error.errno or 0, f"the journal cannot be written ({reason}); free or choose another data folder", str(folder)
    )
