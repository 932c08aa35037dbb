"""ophyd devices of an electron microscope that scans: one beam, a probe, and the detectors that share the beam."""

from daisy_bluesky.devices._account import DoseLimitExceeded
from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._detector import BeamDetector
from daisy_bluesky.devices._devices import Devices, make_devices
from daisy_bluesky.devices._eds import EDSDetector
from daisy_bluesky.devices._eels import EELSDetector
from daisy_bluesky.devices._energy_offset import EnergyOffset
from daisy_bluesky.devices._frame_grid import FrameGrid
from daisy_bluesky.devices._frame_scan import FrameScan
from daisy_bluesky.devices._frame_signals import EVENT
from daisy_bluesky.devices._haadf import HAADFDetector
from daisy_bluesky.devices._list_scan import VISIT, ListScan
from daisy_bluesky.devices._probe import ProbePositioner

__all__ = [
    "EVENT",
    "VISIT",
    "Beam",
    "BeamDetector",
    "Devices",
    "DoseLimitExceeded",
    "EDSDetector",
    "EELSDetector",
    "EnergyOffset",
    "FrameGrid",
    "FrameScan",
    "HAADFDetector",
    "ListScan",
    "ProbePositioner",
    "make_devices",
]
