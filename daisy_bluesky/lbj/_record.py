"""The frame around every payload: what it is, how long, whose, and whether it is whole."""

import struct
from typing import NamedTuple

import google_crc32c

ITEM = 1
INDEX = 2
END = 3
BLOCK = 4
SPECTRUM = 5
FIRST_OPTIONAL_KIND = 128  # kinds from here on may be skipped by a reader that does not know them

MAGIC = b"\xb5J"
_HEAD = struct.Struct("<2sBBIQ")  # magic, kind, codec, payload length, seq_num
_PLACE = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
OVERHEAD = _HEAD.size + _CHECKSUM.size
LONGEST_PAYLOAD = 2**32 - 1
LARGEST_SEQ_NUM = 2**63 - 1


class Head(NamedTuple):
    """The first bytes of a record.

    Attributes
    ----------
    kind : int
        `ITEM`, `INDEX`, `END`, `BLOCK` or `SPECTRUM`.
    codec : int
        How the payload is written.
    length : int
        Bytes of the payload.
    seq_num : int
        Sequence number of the item, or of the first of a block; of an `END` record, the place of the index.
    checksum : int
        CRC-32C over the place of the record, its head and its payload, seeded by the file's own.
    """

    kind: int
    codec: int
    length: int
    seq_num: int
    checksum: int

    @property
    def size(self) -> int:
        """Bytes of the whole record."""
        return OVERHEAD + self.length


def _checksum(seed: int, place: int, head: bytes, payload: bytes) -> int:
    return int(google_crc32c.extend(google_crc32c.extend(seed, _PLACE.pack(place) + head), payload))


def frame(seed: int, place: int, kind: int, codec: int, seq_num: int, payload: bytes) -> bytes:
    """Return the record to be written at byte `place` of the file whose header has the checksum `seed`."""
    if len(payload) > LONGEST_PAYLOAD:
        raise ValueError(f"item {seq_num} needs {len(payload)} bytes, more than a record holds; split the items")
    head = _HEAD.pack(MAGIC, kind, codec, len(payload), seq_num)
    return head + _CHECKSUM.pack(_checksum(seed, place, head, payload)) + payload


def parse_head(data: bytes) -> Head | None:
    """Return the head that `data` starts with, None where there is none."""
    if len(data) < OVERHEAD or not data.startswith(MAGIC):
        return None
    _, kind, codec, length, seq_num = _HEAD.unpack_from(data)
    (checksum,) = _CHECKSUM.unpack_from(data, _HEAD.size)
    if seq_num > LARGEST_SEQ_NUM:
        return None
    return Head(kind, codec, length, seq_num, checksum)


def is_whole(seed: int, place: int, head: Head, record: bytes) -> bool:
    """Return whether the bytes of a record, read at byte `place`, carry the checksum they were written with."""
    if len(record) != head.size:
        return False
    return head.checksum == _checksum(seed, place, record[: _HEAD.size], record[OVERHEAD:])
