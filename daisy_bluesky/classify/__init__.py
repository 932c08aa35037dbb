"""Names the phase of a spectrum, sets ill spectra aside, and discovers phases nobody named beforehand."""

from daisy_bluesky.classify._ill_detector import IllSpectrumDetector
from daisy_bluesky.classify._likelihood import PhaseLikelihood
from daisy_bluesky.classify._phase_classifier import PhaseClassifier
from daisy_bluesky.classify._phase_network import PhaseNetwork
from daisy_bluesky.classify._pooled_labeller import PooledLabeller
from daisy_bluesky.classify._refinement import refine
from daisy_bluesky.classify._spectrum_labeller import SpectrumLabeller
from daisy_bluesky.classify._unknown_phases import UnknownPhases

__all__ = [
    "IllSpectrumDetector",
    "PhaseClassifier",
    "PhaseLikelihood",
    "PhaseNetwork",
    "PooledLabeller",
    "SpectrumLabeller",
    "UnknownPhases",
    "refine",
]
