"""Reading the documents of a run back from its journal."""

from collections.abc import Iterator
from pathlib import Path

from daisy_bluesky.storage._document_file import DOCUMENTS_NAME
from daisy_bluesky.storage._lines import Document, complete_lines, decode, restore_floats
from daisy_bluesky.storage._payload_files import NamedDocument


class FloatKeys:
    """Knows which data keys of a run hold floats, and gives them back what JSON could not say."""

    def __init__(self) -> None:
        self._keys: dict[str, frozenset[str]] = {}

    def restore(self, name: str, document: Document) -> None:
        """Restore NaN and infinities in an event, in place; learn from a descriptor."""
        if name == "descriptor":
            self._keys[document["uid"]] = frozenset(k for k, v in document["data_keys"].items() if _holds_floats(v))
        elif name in ("event", "event_page"):
            restore_floats(document["data"], self._keys[document["descriptor"]])


def read_journal(path: Path | str) -> Iterator[NamedDocument]:
    """Yield the slim documents of a run in the order in which they were written.

    Parameters
    ----------
    path : path-like
        A run's folder, or its ``documents.jsonl``. The run may still be written; a torn last line is left out.

    Yields
    ------
    (name, document)
        Payloads are left in their files, see `inline`; an event that was emitted again comes twice, see `final_events`.
        null under a number's key, or in an array of floats, comes back as NaN.

    Raises
    ------
    ValueError
        If a line is damaged, naming the file and the line.
    FileNotFoundError
        If there is no such journal.
    """
    documents = documents_path(path)
    floats = FloatKeys()
    for number, line in enumerate(complete_lines(documents), 1):
        try:
            name, document = decode(line)
        except ValueError as error:
            raise ValueError(f"{documents} line {number} is damaged ({error})") from None
        floats.restore(name, document)
        yield name, document


def final_events(path: Path | str) -> Iterator[NamedDocument]:
    """Yield the slim documents of a run, each event once.

    An event that the RunEngine emitted again, with the same stream and seq_num, comes where it came first and as it was
    last, so that seq_nums ascend.

    Parameters
    ----------
    path : path-like
        A run's folder, or its ``documents.jsonl``.

    Yields
    ------
    (name, document)
    """
    repeated = _repeated_events(path)
    streams: dict[str, str] = {}
    for name, document in read_journal(path):
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name == "event" and repeated:
            event = streams[document["descriptor"]], document["seq_num"]
            if event in repeated:
                final, repeated[event] = repeated[event], None
                if final is not None:
                    yield name, final
                continue
        yield name, document


def _repeated_events(path: Path | str) -> dict[tuple[str, int], Document | None]:
    streams: dict[str, str] = {}
    seen: set[tuple[str, int]] = set()
    repeated: dict[tuple[str, int], Document | None] = {}
    for name, document in read_journal(path):
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name == "event":
            event = streams[document["descriptor"]], document["seq_num"]
            if event in seen:
                repeated[event] = document
            seen.add(event)
    return repeated


def documents_path(path: Path | str) -> Path:
    """Return the path of the documents, given it or the run's folder."""
    path = Path(path)
    return path / DOCUMENTS_NAME if path.is_dir() else path


def _holds_floats(data_key: Document) -> bool:
    if data_key.get("external"):
        return False
    declared = data_key.get("dtype_numpy")
    if isinstance(declared, str) and declared:
        return declared.lstrip("<>|=").startswith("f")
    return bool(data_key["dtype"] == "number")
