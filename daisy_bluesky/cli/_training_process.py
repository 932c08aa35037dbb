"""The process that trains the demonstration's classifier: ``python -m daisy_bluesky.cli._training_process``."""

import sys
from pathlib import Path

from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.specimen import VirtualSpecimen

TRAINING_SPECTRA = 24
"""Per phase, as in EDS-SLADS."""


def train(shape: tuple[int, int], counts: float, seed: int, folder: Path) -> Path:
    """Train a classifier for the virtual specimen and return its file."""
    specimen = VirtualSpecimen.demo(shape, seed=seed)
    spectra, labels = specimen.training_spectra(TRAINING_SPECTRA, counts, seed)
    classifier = PhaseClassifier.fit(spectra, labels, names=specimen.phases, seed=seed)
    trained = folder / f"classifier-{classifier.digest[:12]}.npz"
    classifier.save(trained)
    return trained


if __name__ == "__main__":
    rows, columns, counts, seed, folder = sys.argv[1:]
    sys.stdout.write(train((int(rows), int(columns)), float(counts), int(seed), Path(folder)).name)
