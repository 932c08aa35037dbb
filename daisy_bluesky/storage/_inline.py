"""Putting payloads back into the events they were taken from."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from daisy_bluesky.storage._lines import Document
from daisy_bluesky.storage._payload import MIMETYPE, Payload, inline_descriptor, payload_path
from daisy_bluesky.storage._payload_files import NamedDocument
from daisy_bluesky.storage._payload_reader import PayloadReader


def inline(documents: Iterable[NamedDocument], folder: Path | str | None = None) -> Iterator[NamedDocument]:
    """Yield the documents of one run as its devices made them: payloads inside their events again.

    Parameters
    ----------
    documents : iterable of (name, document)
        Slim documents, as `read_journal` gives them.
    folder : path-like, optional
        Where the payload files are, when they were moved; else where the documents say.

    Yields
    ------
    (name, document)
        Arrays as numpy arrays. An event list comes sorted by row, column and channel. Documents of detectors that
        wrote their own files are passed on as they are.

    Raises
    ------
    ValueError
        If a payload is missing, naming the file and the seq_num.
    """
    inliner = _Inliner(None if folder is None else Path(folder))
    for name, document in documents:
        yield from inliner.documents(name, document)


class _Inliner:
    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._payloads: dict[str, dict[str, Payload]] = {}
        self._paths: dict[str, Path] = {}
        self._resources: set[str] = set()
        self._readers: dict[Path, PayloadReader] = {}

    def documents(self, name: str, document: Document) -> Iterator[NamedDocument]:
        if name == "descriptor":
            document, self._payloads[document["uid"]] = inline_descriptor(document)
        elif name in ("event", "event_page"):
            document = self._filled(name, document)
        elif name == "stream_resource" and document["mimetype"] == MIMETYPE:
            path = payload_path(document)
            self._resources.add(document["uid"])
            self._paths[path.name] = self._folder / path.name if self._folder else path
            return
        elif name == "stream_datum" and document["stream_resource"] in self._resources:
            return
        yield name, document

    def _filled(self, name: str, document: Document) -> Document:
        data = dict(document["data"])
        for key, payload in self._payloads[document["descriptor"]].items():
            if name == "event":
                data[key] = self._value(payload, document["seq_num"])
            else:
                data[key] = [self._value(payload, seq_num) for seq_num in document["seq_num"]]
        return {**document, "data": data}

    def _value(self, payload: Payload, seq_num: int) -> Any:
        path = self._paths[payload.file_name]
        if path not in self._readers:
            self._readers[path] = PayloadReader(path)
        return payload_value(self._readers[path], payload, seq_num)


def payload_value(reader: PayloadReader, payload: Payload, seq_num: int) -> Any:
    """Return an event's payload in the form in which its device gave it."""
    if payload.list_dtype is not None:
        return reader.listed(seq_num, payload.list_dtype)
    return reader.dense([seq_num])[0]
