import numpy as np
import pytest
from bluesky import RunEngine

from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.specimen import VirtualSpecimen

COUNTS = 2000.0


@pytest.fixture
def new_engine():
    """Makes RunEngines and takes them down with their loops."""
    engines = []

    def make():
        engines.append(RunEngine({}))
        return engines[-1]

    yield make
    for engine in engines:
        if engine.state == "paused":
            engine.halt()
        engine.loop.call_soon_threadsafe(engine.loop.stop)
        engine._th.join(timeout=5)
        engine.loop.close()


@pytest.fixture(scope="session")
def specimen():
    return VirtualSpecimen.demo((40, 40), seed=3)


@pytest.fixture(scope="session")
def classifier_file(specimen, tmp_path_factory):
    spectra, labels = specimen.training_spectra(24, COUNTS, 5)
    classifier = PhaseClassifier.fit(spectra, labels, names=specimen.phases, seed=5)
    path = tmp_path_factory.mktemp("models") / "classifier.npz"
    classifier.save(path)
    return str(path)


@pytest.fixture
def microscope(specimen):
    """A fresh virtual microscope; its dwell gives spectra of 2,000 counts."""
    dwell = specimen.eds_dwell(COUNTS, 100.0)
    return make_devices(VirtualInstrument(specimen), current=100.0, settle_time=0.005, dwell_time=dwell)


class Documents:
    """Collects what an engine emits."""

    def __init__(self):
        self.emitted = []

    def __call__(self, name, document):
        self.emitted.append((name, document))

    def one(self, kind):
        (document,) = [document for name, document in self.emitted if name == kind]
        return document

    def events(self, stream="primary"):
        streams = {doc["uid"]: doc["name"] for name, doc in self.emitted if name == "descriptor"}
        return [doc for name, doc in self.emitted if name == "event" and streams[doc["descriptor"]] == stream]

    def positions(self):
        return np.array([(doc["data"]["probe_row"], doc["data"]["probe_column"]) for doc in self.events()])


@pytest.fixture
def documents():
    return Documents()
