"""The energy-dispersive X-ray detector."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ophyd import Component

from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._detector import BeamDetector, measured
from daisy_bluesky.devices._signals import ReadBack
from daisy_bluesky.protocols import Instrument


class EDSDetector(BeamDetector):
    """One X-ray spectrum per exposure; parameters as for `BeamDetector`.

    Attributes
    ----------
    spectrum : Signal
        Counts of the latest exposure, (channels,) uint32.
    live_time, real_time : Signal
        How long the detector could count, and how long it was asked to, s.
    dead_time : Signal
        Fraction of the real time in which it could not count.
    energy_offset : Signal
        Energy of the centre of channel 0, keV.
    dispersion : Signal
        Energy per channel, keV.
    """

    instrument_key = "eds"
    spectrum = measured("spectrum", "counts")
    live_time = measured("live_time", "s")
    real_time = measured("real_time", "s")
    dead_time = measured("dead_time", kind="hinted")
    energy_offset = Component(ReadBack, get=lambda eds: float(eds.fixed["offset"]), units="keV", kind="config")
    dispersion = Component(ReadBack, get=lambda eds: float(eds.fixed["dispersion"]), units="keV", kind="config")

    def __init__(self, instrument: Instrument, beam: Beam, *, name: str = "eds", **kwargs: Any) -> None:
        super().__init__(instrument, beam, name=name, **kwargs)

    def _initial(self) -> dict[str, Any]:
        spectrum = np.zeros(self.fixed["channels"], np.uint32)
        return {"spectrum": spectrum, "live_time": 0.0, "real_time": 0.0, "dead_time": 0.0}

    def _convert(self, values: Mapping[str, Any]) -> dict[str, Any]:
        live, real = float(values["live_time"]), float(values["real_time"])
        return {
            "spectrum": self._spectrum(values["spectrum"], self.values["spectrum"]),
            "live_time": live,
            "real_time": real,
            "dead_time": 1.0 - live / real if real > 0 else 0.0,
        }
