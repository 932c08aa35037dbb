"""What is taken from a file of one format to one of another."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spectra(NamedTuple):
    """Items of one shape, as a file of another format holds them.

    Attributes
    ----------
    shape : tuple of int
        Of an item, before its channel axis.
    channels : int
    dtype : numpy.dtype
    metadata : dict
        ``offset``, ``dispersion`` and ``unit`` of the channel axis, ``signal_type`` and the other ``axes``, where the
        file tells them.
    items : sequence of ndarray
        Arrays, (*shape, channels), or event lists.
    """

    shape: tuple[int, ...]
    channels: int
    dtype: np.dtype[Any]
    metadata: dict[str, Any]
    items: Sequence[NDArray[Any]]

    def dense(self) -> NDArray[Any]:
        """Return all items, (items, *shape, channels), or the only one without that axis."""
        stacked = np.stack([self.array(item) for item in self.items])
        return stacked[0] if len(stacked) == 1 else stacked

    def array(self, item: NDArray[Any]) -> NDArray[Any]:
        """Return an item as an array, (*shape, channels)."""
        if item.dtype.names is None:
            return item
        array = np.zeros((*self.shape, self.channels), self.dtype)
        np.add.at(array, (item["row"], item["column"], item["channel"]), item["count"].astype(self.dtype))
        return array


def spectra_of(data: NDArray[Any], metadata: dict[str, Any]) -> Spectra:
    """Return an array as one item, or, from four axes on, as one item for each of the first."""
    items = list(data) if data.ndim > 3 else [data]
    dtype = data.dtype.newbyteorder("=")
    return Spectra(items[0].shape[:-1] if items else data.shape[1:-1], data.shape[-1], dtype, metadata, items)
