"""Back ends whose specimen wears out."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Exhaustible(Protocol):
    """An instrument that gives less of a pixel the longer it has been exposed, as a recording does."""

    def restore(self, dwell_map: NDArray[np.float64]) -> None:
        """Take over what earlier runs have exposed, (rows, columns) float64, s."""
        ...


@runtime_checkable
class Limited(Protocol):
    """An instrument that knows how long each pixel can still be exposed."""

    def room(self) -> NDArray[np.float64]:
        """Return how long each pixel can still be exposed, (rows, columns) float64, s."""
        ...
