"""The rasters a microscopist would run instead, for the same electrons or the same time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.report._acquisition import Acquisition

LINE_RETRACE = 0.5e-3
"""Time a flying beam takes from the end of one line to the start of the next, s."""


@dataclass(frozen=True)
class RasterPlan:
    """A raster over every `pitch`-th pixel of a field.

    Attributes
    ----------
    name : str
        What it has in common with the map it is compared with.
    shape : tuple of int
        (rows, columns) of the field, pixels.
    pitch : int
        Distance between measured pixels; 1 measures all.
    dwell : float
        Dwell time, s.
    electrons : float
        Electrons sent through the specimen.
    seconds : float
        Time it takes, s.
    """

    name: str
    shape: tuple[int, int]
    pitch: int
    dwell: float
    electrons: float
    seconds: float

    @property
    def rows(self) -> NDArray[np.int64]:
        """Measured rows, centred on the field."""
        return _lines(self.shape[0], self.pitch)

    @property
    def columns(self) -> NDArray[np.int64]:
        """Measured columns, centred on the field."""
        return _lines(self.shape[1], self.pitch)

    @property
    def visits(self) -> int:
        """Measured pixels."""
        return self.rows.size * self.columns.size


def full_raster(spent: Acquisition) -> RasterPlan:
    """Plan a raster that gives every pixel the dwell of a visit."""
    return _stepping("full raster, full dwell", spent, 1, spent.dwell)


def equal_electrons(spent: Acquisition) -> RasterPlan:
    """Plan a raster that spreads the electrons of a map evenly over all pixels."""
    return _stepping("raster, equal electrons", spent, 1, spent.dwell * spent.fraction)


def equal_time(spent: Acquisition) -> Sequence[RasterPlan]:
    """Plan rasters that take as long as a map, with the same overhead per visit.

    Returns
    -------
    sequence of RasterPlan
        The finest grid that leaves any time to expose; and, where that spends more time between exposures than
        exposing, the finest grid that does not, because it may show more.
    """
    finest = _finest_that_fits(spent, 0.0)
    economic = _finest_that_fits(spent, spent.overhead)
    return [finest] if finest.pitch == economic.pitch else [finest, economic]


def flying_raster(spent: Acquisition, line_retrace: float = LINE_RETRACE) -> RasterPlan | None:
    """Plan a raster of equal time whose beam never stops within a line; None where the retraces alone take longer."""
    rows = spent.shape[0]
    exposed = spent.seconds - rows * line_retrace
    if exposed <= 0:
        return None
    return RasterPlan(
        name="flying raster, equal time",
        shape=spent.shape,
        pitch=1,
        dwell=exposed / spent.pixels,
        electrons=exposed * spent.electron_rate,
        seconds=spent.seconds,
    )


def _finest_that_fits(spent: Acquisition, least_dwell: float) -> RasterPlan:
    for pitch in range(1, max(spent.shape) + 1):
        visits = _lines(spent.shape[0], pitch).size * _lines(spent.shape[1], pitch).size
        dwell = spent.seconds / visits - spent.overhead
        if dwell > 0 and dwell >= least_dwell:
            return _stepping("raster, equal time", spent, pitch, dwell)
    return _stepping("raster, equal time", spent, max(spent.shape), spent.dwell)


def _stepping(name: str, spent: Acquisition, pitch: int, dwell: float) -> RasterPlan:
    visits = _lines(spent.shape[0], pitch).size * _lines(spent.shape[1], pitch).size
    electrons = visits * dwell * spent.electron_rate
    return RasterPlan(name, spent.shape, pitch, dwell, electrons, visits * (dwell + spent.overhead))


def _lines(size: int, pitch: int) -> NDArray[np.int64]:
    return np.arange((size - 1) % pitch // 2, size, pitch, dtype=np.int64)
