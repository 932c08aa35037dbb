import numpy as np
import pytest
from scipy.stats import dirichlet_multinomial, multinomial

from daisy_bluesky.classify import UnknownPhases
from daisy_bluesky.classify._spectrum_evidence import log_evidence
from daisy_bluesky.classify._unknown_phases import Explanation


@pytest.fixture
def shapes():
    rng = np.random.default_rng(2)
    return rng.dirichlet(np.full(128, 0.15), size=3)


def test_evidence_is_the_dirichlet_multinomial():
    counts = np.random.default_rng(1).poisson(3.0, 32)
    coefficient = multinomial.logpmf(counts, counts.sum(), np.full(32, 1 / 32)) + counts.sum() * np.log(32)
    expected = dirichlet_multinomial.logpmf(counts, np.full(32, 0.3), counts.sum()) - coefficient
    assert log_evidence(counts.astype(float)) == pytest.approx(expected, rel=1e-9)


def test_spectra_are_clustered_by_their_phase(shapes):
    rng = np.random.default_rng(3)
    unknown = UnknownPhases()
    truth = rng.integers(3, size=90)
    for number, phase in enumerate(truth):
        unknown.add(number, rng.poisson(80 * shapes[phase]).astype(np.float32))
    found = sorted(tuple(np.unique(truth[cluster.members])) for cluster in unknown.clusters if len(cluster.members) > 3)
    assert found == [(0,), (1,), (2,)]


def test_flat_noise_never_becomes_a_phase(shapes):
    rng = np.random.default_rng(4)
    flat = np.full((1, 128), 1 / 128)
    unknown = UnknownPhases()
    for number in range(100):
        cluster = unknown.add(number, rng.poisson(100 * flat[0]).astype(np.float32))
        assert not unknown.judge(cluster, Explanation(0, log_evidence(cluster.sums) + cluster.sums.sum() * np.log(128)))
        assert cluster.label == 0


def test_a_recurring_unknown_spectrum_becomes_sure(shapes):
    rng = np.random.default_rng(5)
    unknown = UnknownPhases()
    verdicts = []
    for number in range(12):
        cluster = unknown.add(number, rng.poisson(100 * shapes[0]).astype(np.float32))
        verdicts.append(
            unknown.judge(cluster, Explanation(0, log_evidence(cluster.sums) + cluster.sums.sum() * np.log(128)))
        )
    assert not any(verdicts[:5])
    assert verdicts[-1]


def test_what_is_removed_leaves_no_trace(shapes):
    rng = np.random.default_rng(6)
    unknown = UnknownPhases()
    spectra = rng.poisson(100 * shapes[[0, 0, 1]]).astype(np.float32)
    for number, spectrum in enumerate(spectra):
        unknown.add(number, spectrum)
    for number in (1, 2):
        unknown.remove(number, spectra[number])
    (left,) = unknown.clusters
    assert left.members == [0]
    assert np.array_equal(left.sums, spectra[0])
