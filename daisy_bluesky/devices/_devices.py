"""All devices of one instrument."""

from collections.abc import Mapping
from dataclasses import dataclass

from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._detector import BeamDetector
from daisy_bluesky.devices._eds import EDSDetector
from daisy_bluesky.devices._eels import EELSDetector
from daisy_bluesky.devices._energy_offset import EnergyOffset, EnergyShifting
from daisy_bluesky.devices._haadf import HAADFDetector
from daisy_bluesky.devices._probe import ProbePositioner
from daisy_bluesky.protocols import Instrument

_DETECTORS = ("haadf", "eds", "eels")


@dataclass(frozen=True)
class Devices:
    """The beam, the probe and the detectors; what the instrument does not have is None."""

    beam: Beam
    probe: ProbePositioner
    haadf: HAADFDetector | None = None
    eds: EDSDetector | None = None
    eels: EELSDetector | None = None
    energy_offset: EnergyOffset | None = None

    @property
    def detectors(self) -> list[BeamDetector]:
        """The detectors that the instrument has."""
        return [detector for detector in (self.haadf, self.eds, self.eels) if detector is not None]


def make_devices(
    instrument: Instrument,
    *,
    current: float = 100.0,
    settle_time: float = 0.0,
    dwell_time: float = 0.01,
    dwell_times: Mapping[str, float] | None = None,
    max_pixel_dose: float | None = None,
    max_charge: float | None = None,
    timeout: float = 10.0,
) -> Devices:
    """Make the devices of an instrument, sharing one beam.

    Parameters
    ----------
    instrument : Instrument
        The back end.
    current : float
        Beam current, pA.
    settle_time : float
        How long the probe takes to settle after a move, s.
    dwell_time : float
        How long every detector integrates in an exposure, s.
    dwell_times : mapping of str to float, optional
        Dwell times of detectors that differ, s, by ``"haadf"``, ``"eds"`` or ``"eels"``.
    max_pixel_dose : float, optional
        Largest dose that a pixel may receive, e-/A^2; unlimited when None.
    max_charge : float, optional
        Largest charge that the field may receive, pC; unlimited when None.
    timeout : float
        Longest wait for a detector after its exposure has ended, s.

    Returns
    -------
    Devices
        The devices.

    Raises
    ------
    ValueError
        If a number is not positive, or a dwell time is given for a detector that the instrument does not have.
    """
    dwells = {key: dwell_time for key in _DETECTORS if key in instrument.detectors}
    for key, seconds in (dwell_times or {}).items():
        if key not in dwells:
            raise ValueError(f"dwell_times: the instrument {instrument.name} has no detector {key!r}, only {[*dwells]}")
        dwells[key] = seconds
    beam = Beam(instrument, current=current, max_pixel_dose=max_pixel_dose, max_charge=max_charge, timeout=timeout)
    probe = ProbePositioner(instrument, beam, settle_time=settle_time)
    return Devices(
        beam,
        probe,
        HAADFDetector(instrument, beam, dwell_time=dwells["haadf"]) if "haadf" in dwells else None,
        EDSDetector(instrument, beam, dwell_time=dwells["eds"]) if "eds" in dwells else None,
        EELSDetector(instrument, beam, dwell_time=dwells["eels"]) if "eels" in dwells else None,
        EnergyOffset(instrument) if isinstance(instrument, EnergyShifting) else None,
    )
