"""The high-angle annular dark-field detector."""

from collections.abc import Mapping
from typing import Any

from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._detector import BeamDetector, measured
from daisy_bluesky.protocols import Instrument


class HAADFDetector(BeamDetector):
    """One intensity per exposure; parameters as for `BeamDetector`.

    Attributes
    ----------
    intensity : Signal
        Intensity of the latest exposure, in the instrument's unit.
    """

    instrument_key = "haadf"
    intensity = measured("intensity", kind="hinted")

    def __init__(self, instrument: Instrument, beam: Beam, *, name: str = "haadf", **kwargs: Any) -> None:
        super().__init__(instrument, beam, name=name, **kwargs)

    def _initial(self) -> dict[str, Any]:
        return {"intensity": 0.0}

    def _convert(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"intensity": float(values["intensity"])}
