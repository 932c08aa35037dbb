"""A microscope whose specimen is a recording."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.devices.backends._virtual import Specimen, VirtualInstrument
from daisy_bluesky.protocols import Clock, Exposure

ROUNDING = 1e-9


class RecordedImage(Specimen, Protocol):
    """What this back end asks of a recording."""

    def remaining(self, row: int, column: int) -> float:
        """Return the dwell, s, that visits to a pixel can still take."""
        ...

    @property
    def recorded_dwell(self) -> float:
        """Dwell time, s, that was recorded of every pixel."""
        ...

    @property
    def consumed(self) -> NDArray[np.float64]:
        """Dwell time taken from each pixel, (rows, columns) float64, s."""
        ...

    def restore(self, consumed: NDArray[np.float64]) -> None:
        """Go on where an earlier run stopped, (rows, columns) s taken from each pixel."""
        ...


class RecordedInstrument(VirtualInstrument):
    """Exposes a recorded spectrum image, pixel by pixel.

    A pixel gives no more than was recorded of it: an exposure beyond the recorded dwell time is refused before the beam
    comes on. Only EDS counts can be thinned to shorter dwell times.

    Parameters
    ----------
    recording : RecordedImage
        What lies under the beam.
    clock, faults
        As for `VirtualInstrument`.
    """

    name = "recorded"

    def __init__(
        self,
        recording: RecordedImage,
        *,
        clock: Clock | None = None,
        faults: Mapping[str, Callable[[Exposure], None]] | None = None,
    ) -> None:
        super().__init__(recording, clock=clock, faults=faults)
        self._recording = recording

    def arm(self, detector: str, dwell: float) -> None:
        """Check that there is such a detector, and enough of the recording under the probe.

        Raises
        ------
        ValueError
            If the recording has no such signal, or the dwell time is not positive or longer than what is left.
        """
        super().arm(detector, dwell)
        row, column = (round(place) for place in self.position)
        left = self._recording.remaining(row, column)
        if detector == "eds" and dwell > left + ROUNDING * dwell:
            raise ValueError(
                f"eds: pixel ({row}, {column}) has {left:.6g} s of its recorded dwell left, but {dwell:.6g} s are "
                "asked for; use a shorter dwell time, or beam.reset() to begin the recording anew"
            )

    def restore(self, dwell_map: NDArray[np.float64]) -> None:
        """Take from each pixel's recorded dwell what earlier runs have used, (rows, columns) float64, s.

        A survey image takes no counts, but the beam was on for it: what goes beyond the recorded dwell is not taken.
        """
        self._recording.restore(np.minimum(dwell_map, self._recording.recorded_dwell))

    def room(self) -> NDArray[np.float64]:
        """Return how much of its recorded dwell each pixel has left, (rows, columns) float64, s."""
        return np.maximum(self._recording.recorded_dwell - self._recording.consumed, 0.0)
