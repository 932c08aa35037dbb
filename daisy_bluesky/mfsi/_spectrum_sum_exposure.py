"""How long each output pixel of a sum of frames was exposed."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._spectrum_sum_frame import EXPOSURE_PARTS
from daisy_bluesky.mfsi._spectrum_sum_kernels import Box, expose
from daisy_bluesky.mfsi._spectrum_sum_positions import SUBDIVISION

Area = Literal["frame", "common", "full"]
MEMORY_LIMIT = 8 * 2**30


def require_memory(what: str, needed: int, limit: int) -> None:
    """Raise MemoryError, before anything is allocated, if more bytes are needed than a limit allows."""
    if needed > limit:
        raise MemoryError(
            f"{what} needs {needed / 2**30:.3g} GiB, more than memory_limit of {limit / 2**30:.3g} GiB: "
            "lower upsample, take fewer channels, or raise memory_limit"
        )


class ExposureMap:
    """Exposure of output pixels, exact, so that the order in which frames are added does not matter.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of a frame.
    upsample : int
        Output pixels per pixel.
    width : int
        Width of the kernel, output pixels; 0 for the nearest output pixel.
    area : {"frame", "common", "full"}
        Output pixels to keep: those of the common frame's own field, those that every frame covers, or all.
    memory_limit : int
        Most bytes the map may take.

    Raises
    ------
    ValueError
        If there is no such area.
    MemoryError
        If the map would exceed the limit.
    """

    def __init__(self, shape: tuple[int, int], upsample: int, width: int, area: Area, memory_limit: int) -> None:
        if area not in get_args(Area):
            raise ValueError(f"area is {area!r}; choose one of {', '.join(get_args(Area))}")
        self._upsample, self._width, self._area, self._limit = upsample, width, area, memory_limit
        self._origin = (0, 0)
        cells = (shape[0] * upsample, shape[1] * upsample)
        require_memory("an exposure map", 8 * cells[0] * cells[1], memory_limit)
        self._total = np.zeros(cells, np.int64)
        self._inner: tuple[int, int, int, int] | None = None  # first and last row, first and last column in common

    @property
    def nbytes(self) -> int:
        """Bytes the map takes."""
        return self._total.nbytes

    def add(self, positions: NDArray[np.int32], exposure: NDArray[np.int64]) -> None:
        """Add a frame: positions (rows, columns, 2) in 1/256 output pixel, exposure (rows, columns) in 1/65536."""
        if self._area == "full":
            reach = self._width // 2 + 1
            first, last = positions.min(axis=(0, 1)) // SUBDIVISION - reach, positions.max(axis=(0, 1)) // SUBDIVISION
            self._grow((int(first[0]), int(first[1])), (int(last[0]) + reach + 1, int(last[1]) + reach + 1))
        expose(positions, exposure, self._width, self._origin, self._total)
        self._narrow(self._covered(positions))

    def merge(self, other: "ExposureMap") -> None:
        """Add another map of the same grid."""
        rows, columns = other._total.shape
        last = (other._origin[0] + rows, other._origin[1] + columns)
        self._grow(other._origin, last)
        top, left = other._origin[0] - self._origin[0], other._origin[1] - self._origin[1]
        self._total[top : top + rows, left : left + columns] += other._total
        if other._inner is not None:
            self._narrow(other._inner)

    def box(self) -> Box:
        """Return first row, first column, rows and columns of the area."""
        if self._area != "common":
            return (*self._origin, *self._total.shape)
        top, bottom, left, right = self._inner or (0, -1, 0, -1)
        return top, left, max(bottom - top + 1, 0), max(right - left + 1, 0)

    def exposure(self) -> NDArray[np.float64]:
        """Return the exposure of the area's output pixels, float64, in exposures of a whole pixel."""
        top, left, rows, columns = self.box()
        top, left = top - self._origin[0], left - self._origin[1]
        parts = EXPOSURE_PARTS * (SUBDIVISION * max(self._width, 1)) ** 2
        return self._total[top : top + rows, left : left + columns] / parts

    def _covered(self, positions: NDArray[np.int32]) -> tuple[int, int, int, int]:
        half = SUBDIVISION * (self._upsample - 1) // 2  # a pixel covers its own output pixels, not its centre alone
        first = (positions[0, :, 0].max() - half, positions[:, 0, 1].max() - half)
        last = (positions[-1, :, 0].min() + half, positions[:, -1, 1].min() + half)
        limits = [
            (max(-(-int(low) // SUBDIVISION), start), min(int(high) // SUBDIVISION, start + length - 1))
            for low, high, start, length in zip(first, last, self._origin, self._total.shape, strict=True)
        ]
        return (*limits[0], *limits[1])

    def _narrow(self, covered: tuple[int, int, int, int]) -> None:
        inner = self._inner or covered
        self._inner = (
            max(inner[0], covered[0]), min(inner[1], covered[1]), max(inner[2], covered[2]), min(inner[3], covered[3])
        )  # fmt: skip

    def _grow(self, first: tuple[int, int], last: tuple[int, int]) -> None:
        rows, columns = self._total.shape
        top, left = min(first[0], self._origin[0]), min(first[1], self._origin[1])
        bottom, right = max(last[0], self._origin[0] + rows), max(last[1], self._origin[1] + columns)
        if (bottom - top, right - left) == (rows, columns):
            return
        require_memory("the full area", 8 * (bottom - top) * (right - left), self._limit)
        grown = np.zeros((bottom - top, right - left), np.int64)
        at = self._origin[0] - top, self._origin[1] - left
        grown[at[0] : at[0] + rows, at[1] : at[1] + columns] = self._total
        self._total, self._origin = grown, (top, left)
