"""What stands behind the devices: a virtual or a recorded microscope, and their clocks."""

from daisy_bluesky.devices.backends._clocks import SimulatedClock, WallClock
from daisy_bluesky.devices.backends._recorded import RecordedInstrument
from daisy_bluesky.devices.backends._scanning import ScanningInstrument
from daisy_bluesky.devices.backends._virtual import Specimen, VirtualInstrument

__all__ = ["RecordedInstrument", "ScanningInstrument", "SimulatedClock", "Specimen", "VirtualInstrument", "WallClock"]
