"""The virtual microscope's sample: phantoms and the physics that turns them into counts."""

from daisy_bluesky.specimen._drift import Drift
from daisy_bluesky.specimen._eds_model import EDSModel
from daisy_bluesky.specimen._eels import EELSModel
from daisy_bluesky.specimen._eels_camera import EELSCamera
from daisy_bluesky.specimen._frame_damage import Damage, DamageDriver, Exposing
from daisy_bluesky.specimen._frame_detector import ScanDetector
from daisy_bluesky.specimen._frame_scan import ScanDistortion
from daisy_bluesky.specimen._frame_series import VirtualFrame, VirtualSeries
from daisy_bluesky.specimen._frame_specimen import ProjectedSpecimen, crystal, particles
from daisy_bluesky.specimen._frame_spectra import DriftingSpectrometer
from daisy_bluesky.specimen._haadf import HAADFModel
from daisy_bluesky.specimen._ill import ILL_KINDS, ill_map, make_ill
from daisy_bluesky.specimen._phantom import PHANTOM_KINDS, phantom, phase_fractions
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.specimen._recorded import RecordedSpecimen, read_recording
from daisy_bluesky.specimen._recording import Recording
from daisy_bluesky.specimen._scanned_specimen import ScannedSpecimen
from daisy_bluesky.specimen._silicon_drift_detector import SiliconDriftDetector
from daisy_bluesky.specimen._virtual_specimen import VirtualSpecimen

__all__ = [
    "ILL_KINDS",
    "PHANTOM_KINDS",
    "Damage",
    "DamageDriver",
    "Drift",
    "DriftingSpectrometer",
    "EDSModel",
    "EELSCamera",
    "EELSModel",
    "Exposing",
    "HAADFModel",
    "Phase",
    "ProjectedSpecimen",
    "RecordedSpecimen",
    "Recording",
    "ScanDetector",
    "ScanDistortion",
    "ScannedSpecimen",
    "SiliconDriftDetector",
    "VirtualFrame",
    "VirtualSeries",
    "VirtualSpecimen",
    "crystal",
    "ill_map",
    "make_ill",
    "particles",
    "phantom",
    "phase_fractions",
    "read_recording",
]
