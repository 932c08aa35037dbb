"""The classifier of the virtual specimen's phases, which several rows share."""

from functools import cache

from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.specimen import VirtualSpecimen

COUNTS = 7500.0
TRAINING = 24
SEED = 0


@cache
def virtual_classifier() -> PhaseClassifier:
    """Return a classifier trained on 24 spectra of each phase, drawn apart from those of any map, seed 0."""
    specimen = VirtualSpecimen.demo((64, 64), seed=SEED)
    spectra, labels = specimen.training_spectra(TRAINING, COUNTS, SEED)
    return PhaseClassifier.fit(spectra, labels, names=specimen.phases, seed=SEED)
