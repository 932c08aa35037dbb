"""Following a run's documents while they are written."""

from pathlib import Path

from daisy_bluesky.storage._document_file import DOCUMENTS_NAME
from daisy_bluesky.storage._lines import decode
from daisy_bluesky.storage._payload_files import NamedDocument
from daisy_bluesky.storage._read_journal import FloatKeys

_BLOCK = 2**20


class JournalTail:
    """Gives the slim documents of a run in the order in which they were written, as far as they are.

    Parameters
    ----------
    folder : Path
        The run's folder.

    Attributes
    ----------
    offset : int
        Bytes of the documents that were given.
    """

    def __init__(self, folder: Path) -> None:
        self.offset = 0
        self._path = folder / DOCUMENTS_NAME
        self._floats = FloatKeys()

    def read(self) -> list[NamedDocument]:
        """Return the next documents, about a megabyte of them at most; none when all were given.

        Raises
        ------
        ValueError
            If a line is damaged, naming the file.
        """
        with self._path.open("rb") as file:
            file.seek(self.offset)
            block = file.read(_BLOCK)
            if block and b"\n" not in block:
                block += file.readline()
        whole = block[: block.rfind(b"\n") + 1]
        try:
            documents = [decode(line) for line in whole.splitlines()]
        except ValueError as error:
            raise ValueError(f"{self._path} is damaged after byte {self.offset} ({error})") from None
        for name, document in documents:
            self._floats.restore(name, document)
        self.offset += len(whole)
        return documents
