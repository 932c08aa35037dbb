"""Dark and gain references of a detector: stored once, applied to raw integers when they are read."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.lbj._arguments import array_of

_MOST_BYTES = 2**24  # of one reference


@dataclass(frozen=True)
class References:
    """What turns raw counts into corrected ones: ``(raw - dark) * gain``, in float32.

    Attributes
    ----------
    dark, gain : ndarray
        float32, of one shape that broadcasts against an item; ``(channels,)`` for spectra.
    """

    dark: NDArray[np.float32]
    gain: NDArray[np.float32]

    @classmethod
    def of(cls, dark: ArrayLike | None, gain: ArrayLike | None, item_shape: tuple[int, ...]) -> "References | None":
        """Return the references a user gives; None where there are none.

        Raises
        ------
        ValueError
            If one does not fit the items.
        """
        if dark is None and gain is None:
            return None
        darks, gains = _checked("dark", 0 if dark is None else dark), _checked("gain", 1 if gain is None else gain)
        try:
            shape = np.broadcast_shapes(darks.shape, gains.shape)
            if np.broadcast_shapes(shape, item_shape) != item_shape:
                raise ValueError
        except ValueError:
            raise ValueError(
                f"references {darks.shape} and {gains.shape} do not fit items {item_shape}; give (channels,)"
            ) from None
        if 4 * prod(shape) > _MOST_BYTES:
            raise ValueError(
                f"dark and gain {shape} of more than {_MOST_BYTES // 4} values cannot be stored; give (channels,)"
            )
        return cls(*(np.ascontiguousarray(np.broadcast_to(part, shape)) for part in (darks, gains)))

    def apply(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Return corrected counts, (..., *item), float32: one subtraction and one product, each rounded to nearest."""
        corrected: NDArray[np.float32] = raw.astype(np.float32)
        corrected -= self.dark
        corrected *= self.gain
        return corrected

    def to_fields(self) -> dict[str, Any]:
        """Return what a file's description says of them."""
        return {
            "shape": list(self.dark.shape),
            "dark": _written(self.dark),
            "gain": _written(self.gain),
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], item_shape: tuple[int, ...]) -> "References":
        """Return what a file's description says; ValueError, TypeError or KeyError where it is no references."""
        shape = tuple(fields["shape"])
        if not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError("a reference has no such shape")
        parts = [_read(fields[name], shape) for name in ("dark", "gain")]
        references = cls.of(parts[0], parts[1], item_shape)
        if references is None:
            raise ValueError("references without values")
        return references


def _checked(name: str, given: ArrayLike) -> NDArray[np.float32]:
    reference = array_of(f"the {name} reference", given)
    if reference.dtype.kind in "iuf":
        with np.errstate(over="ignore"):
            reference = reference.astype(np.float32)
        if np.all(np.isfinite(reference)):
            return reference
    raise ValueError(f"the {name} reference must be finite numbers, also as float32")


def _written(reference: NDArray[np.float32]) -> str:
    return base64.b64encode(zlib.compress(reference.astype("<f4").tobytes(), 9)).decode("ascii")


def _read(text: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    size = 4 * prod(shape)
    if size > _MOST_BYTES:
        raise ValueError(f"a reference of {size} bytes")
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(base64.b64decode(text, validate=True), size + 1)
    except (zlib.error, binascii.Error) as error:
        raise ValueError(f"a reference does not inflate: {error}") from None
    if len(raw) != size or not inflater.eof:
        raise ValueError("a reference is not of its shape")
    return np.frombuffer(raw, "<f4").astype(np.float32).reshape(shape)
