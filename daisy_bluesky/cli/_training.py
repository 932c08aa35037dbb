"""The demonstration's classifier, trained in a process of its own."""

import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.specimen import VirtualSpecimen

TRAINING_SPECTRA = 24
"""Per phase, as in EDS-SLADS."""


def train_apart(shape: tuple[int, int], counts: float, seed: int, folder: Path) -> Path:
    """Train a classifier for the virtual specimen and return its file.

    What training takes (torch alone is half a gigabyte) is free again before the map begins.
    """
    folder.mkdir(exist_ok=True)
    with ProcessPoolExecutor(1, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN)) as processes:
        return processes.submit(_train, shape, counts, seed, folder).result()


def _train(shape: tuple[int, int], counts: float, seed: int, folder: Path) -> Path:
    specimen = VirtualSpecimen.demo(shape, seed=seed)
    spectra, labels = specimen.training_spectra(TRAINING_SPECTRA, counts, seed)
    classifier = PhaseClassifier.fit(spectra, labels, names=specimen.phases, seed=seed)
    trained = folder / f"classifier-{classifier.digest[:12]}.npz"
    classifier.save(trained)
    return trained
