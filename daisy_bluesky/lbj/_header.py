"""The head of a file: what its items are."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from math import prod
from typing import Any, NoReturn

import google_crc32c
import numpy as np
from numpy.typing import DTypeLike, NDArray

from daisy_bluesky.lbj._arguments import dtype_of, lengths_of
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._references import References

MAGIC = b"\x89LBJ\r\n\x1a\n"
VERSION = (1, 0)
PREFIX = struct.Struct("<8sHHI")  # magic, major, minor, length of the description
PREFIX_SIZE = PREFIX.size + 4  # with the checksum

_INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_DTYPES = _INTEGERS | {"bool", "float16", "float32", "float64"}
_LARGEST_AXIS = 2**31 - 1
_MOST_VOXELS = 2**40
_LONGEST_DESCRIPTION = 2**24


@dataclass(frozen=True)
class Header:
    """What every item of a file is.

    Attributes
    ----------
    shape : tuple of int
        Shape of an item before its channel axis; ``()`` for one spectrum.
    channels : int
        Length of the channel axis.
    dtype : numpy.dtype
        Type of the counts.
    metadata : dict
        Anything JSON can hold, e.g. energy offset, dispersion and unit.
    guarantee : Guarantee
        How the values that come out differ from those that went in.
    references : References or None
        What turns the stored raw counts into the values that come out.
    """

    shape: tuple[int, ...]
    channels: int
    dtype: np.dtype[Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    guarantee: Guarantee = field(default_factory=partial(Guarantee, 1))
    references: References | None = None

    @classmethod
    def of(
        cls,
        shape: tuple[int, ...],
        channels: int,
        dtype: DTypeLike | None,
        metadata: Mapping[str, Any] | None,
        guarantee: Guarantee | None = None,
        references: References | None = None,
    ) -> "Header":
        """Return a checked header; `dtype` None stands for uint32.

        Raises
        ------
        ValueError
            If a length is out of range, the type is none of the format's, or the metadata are not JSON.
        TypeError
            If a length is no whole number.
        """
        before, channels = lengths_of(shape, channels)
        lengths, kind = (*before, channels), dtype_of(dtype)
        if lengths[-1] < 1 or any(not 0 <= length <= _LARGEST_AXIS for length in lengths):
            raise ValueError(
                f"item shape {lengths}: at least 1 channel and at most {_LARGEST_AXIS} along an axis needed"
            )
        if prod(lengths) > _MOST_VOXELS:
            raise ValueError(f"item shape {lengths} has more than 2**40 voxels; split the items")
        if not is_storable(kind):
            raise ValueError(
                f"dtype {kind} cannot be stored; convert to an integer, bool or float type of up to 64 bits"
            )
        try:
            copied = json.loads(json.dumps(dict(metadata or {}), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ValueError(f"metadata must be JSON without NaN or infinity: {error}") from None
        promised = guarantee or Guarantee(lengths[-1])
        return cls(lengths[:-1], lengths[-1], kind.newbyteorder("="), copied, promised, references)

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of an item, (*shape, channels)."""
        return (*self.shape, self.channels)

    @property
    def voxels(self) -> int:
        """Number of voxels of an item."""
        return prod(self.item_shape)

    @cached_property
    def event_dtype(self) -> np.dtype[np.void]:
        """Type of a list of events: ``row``, ``column``, ``channel`` (int32) and ``count`` (the file's type)."""
        return np.dtype([*((name, np.int32) for name in ("row", "column", "channel")), ("count", self.dtype)])

    def room(self, items: int, voxels: int | None = None) -> NDArray[Any]:
        """Return zeros for items, or for so many voxels of each, (items, voxels); LBJError where they exceed memory."""
        lengths = (items, self.voxels if voxels is None else voxels)
        try:
            return np.zeros(lengths, self.dtype)
        except (MemoryError, ValueError):
            size = prod(lengths) * self.dtype.itemsize
            raise LBJError(f"{items} items {self.item_shape} of {self.dtype} exceed memory: {size} bytes") from None

    def to_bytes(self) -> bytes:
        """Return the head of a file, the same bytes for the same header."""
        fields = {
            "channels": self.channels,
            "dtype": self.dtype.name,
            "metadata": self.metadata,
            "shape": list(self.shape),
            **self.guarantee.to_fields(),
            **({} if self.references is None else {"references": self.references.to_fields()}),
        }
        description = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
        if len(description) > _LONGEST_DESCRIPTION:
            named = "metadata" if self.references is None else "metadata with dark and gain references"
            raise ValueError(f"{named} of {len(description)} bytes are longer than {_LONGEST_DESCRIPTION}; give less")
        prefix = PREFIX.pack(MAGIC, *VERSION, len(description))
        return prefix + struct.pack("<I", google_crc32c.value(prefix + description)) + description


def is_storable(dtype: np.dtype[Any]) -> bool:
    """Return whether values of a type can be stored as they are."""
    return dtype.name in _DTYPES


def checksum_of(head: bytes) -> int:
    """Return the checksum in the head of a file; it seeds those of the records."""
    (checksum,) = struct.unpack_from("<I", head, PREFIX.size)
    return int(checksum)


def description_length(prefix: bytes) -> int:
    """Return the length of the description that follows the first `PREFIX_SIZE` bytes of a file.

    Raises
    ------
    LBJError
        If this is not the head of a file, is cut short, or is of a version this reader does not know.
    """
    if len(prefix) < PREFIX_SIZE or not prefix.startswith(MAGIC):
        raise LBJError("not a listed-bin-journal, or one cut short within its header")
    _, major, minor, length = PREFIX.unpack_from(prefix)
    if major != VERSION[0]:
        raise LBJError(f"format version {major}.{minor} is not known; install a newer daisy-bluesky")
    if length > _LONGEST_DESCRIPTION:
        raise LBJError(f"header claims a description of {length} bytes; the file is damaged")
    return int(length)


def parse_header(prefix: bytes, description: bytes) -> tuple[Header, int]:
    """Return the header and its checksum.

    Raises
    ------
    LBJError
        If the checksum is wrong or the description is not one.
    """
    checksum = checksum_of(prefix)
    if checksum != google_crc32c.value(prefix[: PREFIX.size] + description):
        raise LBJError("header is damaged or cut short (its checksum is wrong)")
    try:
        fields = json.loads(description.decode("ascii"), parse_constant=_refuse_constant)
        if not all(type(length) is int for length in (*fields["shape"], fields["channels"])):
            raise ValueError("lengths must be whole numbers")
        if fields["dtype"] not in _DTYPES or not isinstance(fields["metadata"], dict):
            raise ValueError("dtype must be a name of the format, metadata an object")
        header = _understood(fields)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise LBJError(f"header cannot be understood: {error}") from None
    return header, checksum


def _understood(fields: Mapping[str, Any]) -> Header:
    shape, channels = tuple(fields["shape"]), fields["channels"]
    header = Header.of(shape, channels, fields["dtype"], fields["metadata"], Guarantee.from_fields(channels, fields))
    if "references" not in fields:
        return header
    return replace(header, references=References.from_fields(fields["references"], header.item_shape))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
