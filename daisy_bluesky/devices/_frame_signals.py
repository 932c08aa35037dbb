"""What a detector gives for all pixels of a frame: an image, a list of counts, or a cube."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.devices._detector import BeamDetector

EVENT = np.dtype([("row", "<u2"), ("column", "<u2"), ("channel", "<u2"), ("count", "<u4")])
"""Counts of an EDS detector in a frame; those that are not listed are 0."""


@dataclass(frozen=True)
class FrameSignal:
    """One value of a detector, for all pixels.

    Attributes
    ----------
    detector : str
        What the instrument calls the detector.
    part : str
        What the instrument calls the value, when it scans whole frames.
    pixel_key : str
        Data key of the value at one pixel.
    shape : tuple of int
        Rows and columns of the frame.
    data_key : Mapping
        How an event describes it.
    """

    detector: str
    part: str
    pixel_key: str
    shape: tuple[int, int]
    data_key: Mapping[str, Any]

    def of_line(self, row: int, pixels: Mapping[str, Sequence[Any]]) -> NDArray[Any]:
        """Return the value of a line from those of its pixels: (columns, ...), or the counts that are listed."""
        values = np.asarray(pixels[self.pixel_key])
        return listed(values, row) if self._is_list else values

    def joined(self, lines: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return the value of the frame from those of its lines."""
        return np.concatenate(lines) if self._is_list else np.stack(lines)

    def of_frame(self, values: Mapping[str, Any]) -> NDArray[Any]:
        """Return the value of a frame from what an instrument measured that scans whole frames.

        Raises
        ------
        ValueError
            If it is not of the frame's shape.
        """
        value = np.asarray(values[self.part])
        if self._is_list:
            return value.astype(EVENT, copy=False)
        if value.shape != tuple(self.data_key["shape"]):
            raise ValueError(f"{self.detector}: a frame of shape {value.shape} came, not {self.data_key['shape']}")
        return value.astype(self.data_key["dtype_numpy"], copy=False)

    @property
    def _is_list(self) -> bool:
        return isinstance(self.data_key["dtype_numpy"], list)


def listed(spectra: NDArray[np.generic], row: int) -> NDArray[np.void]:
    """Return the counts of the spectra of a line, (columns, channels), as events (n,) of type `EVENT`."""
    column, channel = np.nonzero(spectra)
    events = np.empty(len(column), EVENT)
    events["row"], events["column"], events["channel"] = row, column, channel
    events["count"] = spectra[column, channel]
    return events


def frame_signals(
    detectors: Sequence[BeamDetector], shape: tuple[int, int], number: str = "<f8"
) -> dict[str, FrameSignal]:
    """Return what a frame measures by data key: ``<detector>_image`` for numbers, ``<detector>_frame`` for spectra.

    Counts (unsigned integers) are listed, since most channels of a short dwell are empty; other spectra are not.

    Parameters
    ----------
    detectors : sequence of BeamDetector
        What measures.
    shape : tuple of int
        Rows and columns of the frame.
    number : str
        Type of the images.
    """
    signals = {}
    for detector in detectors:
        for key, described in detector.describe().items():
            units = {"units": described["units"]} if described.get("units") else {}
            common = {"source": detector.source, "dtype": "array", **units}
            whole = list(described["shape"])
            if key == f"{detector.name}_intensity":
                described_as = {**common, "shape": list(shape), "dtype_numpy": number}
                signals[f"{detector.name}_image"] = FrameSignal(
                    detector.instrument_key, "image", key, shape, described_as
                )
            elif whole:
                counts = np.asarray(detector.values["spectrum"]).dtype.kind == "u"
                dtype = [[name, EVENT[name].str] for name in EVENT.names or ()] if counts else "<f4"
                described_as = {**common, "shape": [*shape, *whole], "dtype_numpy": dtype}
                part = "events" if counts else "spectra"
                signals[f"{detector.name}_frame"] = FrameSignal(detector.instrument_key, part, key, shape, described_as)
    return signals
