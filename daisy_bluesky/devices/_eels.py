"""The electron energy-loss spectrometer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ophyd import Component, Signal

from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._detector import BeamDetector, measured
from daisy_bluesky.devices._energy_offset import EnergyShifting
from daisy_bluesky.devices._signals import ReadBack
from daisy_bluesky.protocols import Instrument


class EELSDetector(BeamDetector):
    """One energy-loss spectrum per exposure; parameters as for `BeamDetector`.

    Attributes
    ----------
    spectrum : Signal
        Signal of the latest exposure, (channels,) float32.
    energy_offset : Signal
        Energy loss at the centre of channel 0, with what the drift tube adds, eV.
    dispersion : Signal
        Energy per channel, eV.
    noise_gain : Signal
        Variance over mean of what electrons make in a channel, counts; to be set where the instrument does not tell.
    read_noise : Signal
        Standard deviation of the read-out of a channel, counts; to be set where the instrument does not tell.
    """

    instrument_key = "eels"
    spectrum = measured("spectrum", "counts")
    energy_offset = Component(ReadBack, get=lambda eels: eels.first_energy, units="eV", kind="config")
    dispersion = Component(ReadBack, get=lambda eels: float(eels.fixed["dispersion"]), units="eV", kind="config")

    noise_gain = Component(Signal, value=1.0, kind="config")
    read_noise = Component(Signal, value=0.0, kind="config")

    def __init__(self, instrument: Instrument, beam: Beam, *, name: str = "eels", **kwargs: Any) -> None:
        super().__init__(instrument, beam, name=name, **kwargs)
        self.noise_gain.put(float(self.fixed.get("noise_gain", 1.0)))
        self.read_noise.put(float(self.fixed.get("read_noise", 0.0)))

    @property
    def first_energy(self) -> float:
        """Energy loss at the centre of channel 0, with what the drift tube adds, eV."""
        instrument = self.beam.instrument
        return float(self.fixed["offset"]) + (
            instrument.energy_offset if isinstance(instrument, EnergyShifting) else 0.0
        )

    def _initial(self) -> dict[str, Any]:
        return {"spectrum": np.zeros(self.fixed["channels"], np.float32)}

    def _convert(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"spectrum": self._spectrum(values["spectrum"], self.values["spectrum"])}
