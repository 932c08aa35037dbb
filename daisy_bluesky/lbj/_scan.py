"""Finding whole records by reading forward, and telling a torn tail from damage."""

from collections.abc import Iterator

from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._record import FIRST_OPTIONAL_KIND, ITEM, MAGIC, OVERHEAD, SPECTRUM, Head, is_whole, parse_head
from daisy_bluesky.lbj._source import LookAhead, Source

_KNOWN_KINDS = range(ITEM, SPECTRUM + 1)
_PIECE = 2**20


def whole_records(source: Source, seed: int, start: int, stop: int) -> Iterator[tuple[int, Head]]:
    """Yield place and head of each record from byte `start` up to the first that is not whole.

    Parameters
    ----------
    source : Source
        The file.
    seed : int
        Checksum of its header.
    start, stop : int
        First byte of a record, and where the file ends.

    Raises
    ------
    LBJError
        If a whole record is of a kind this reader must know but does not.
    """
    ahead = LookAhead(source, stop)
    place = start
    while (head := whole_record_at(ahead, seed, place, stop)) is not None:
        if head.kind not in _KNOWN_KINDS and head.kind < FIRST_OPTIONAL_KIND:
            raise LBJError(
                f"{source.name}: record kind {head.kind} at byte {place} is not known; install a newer daisy-bluesky"
            )
        yield place, head
        place += head.size


def whole_record_at(source: Source | LookAhead, seed: int, place: int, stop: int) -> Head | None:
    """Return the head of the record at byte `place`, None where no whole one is."""
    head = parse_head(source.read(place, min(OVERHEAD, max(stop - place, 0))))
    if head is None or place + head.size > stop:
        return None
    return head if is_whole(seed, place, head, source.read(place, head.size)) else None


def next_whole_record(source: Source, seed: int, start: int, stop: int) -> int | None:
    """Return the first place at or after byte `start` with a whole record, None where none is."""
    place = start
    while place < stop:
        piece = source.read(place, min(_PIECE, stop - place) + OVERHEAD)
        found = piece.find(MAGIC)
        while 0 <= found < _PIECE:
            head = parse_head(piece[found : found + OVERHEAD])
            if head is not None and head.kind in _KNOWN_KINDS and whole_record_at(source, seed, place + found, stop):
                return place + found
            found = piece.find(MAGIC, found + 1)
        place += _PIECE
    return None
