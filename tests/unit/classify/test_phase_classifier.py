import io
import time

import numpy as np
import pytest

from daisy_bluesky.classify import PhaseClassifier

KINDS = ("flat noise", "shifted gain", "half dead time", "cosmic spike")


def test_probabilities_cover_ill_and_every_phase(classifier, draw):
    probabilities = classifier.predict_proba(draw([1, 2, 3, 4], 300, 2))
    assert probabilities.shape == (4, 5)
    assert np.allclose(probabilities.sum(1), 1)
    assert probabilities.min() >= 0
    assert classifier.predict_proba(draw([1], 300, 2)[0]).shape == (1, 5)


@pytest.mark.parametrize(("counts", "wrong"), [(50, 0.06), (100, 0.02), (1000, 0.005), (7500, 0.0005)])
def test_good_spectra_get_their_phase(classifier, draw, counts, wrong):
    labels = np.arange(2000) % 4 + 1
    assert np.mean(classifier.predict(draw(labels, counts, 12)) != labels) <= wrong


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("counts", "least"), [(100, 0.7), (1000, 0.99)])
def test_ill_spectra_are_found_where_totals_fail(classifier, draw, draw_ill, kind, counts, least):
    good, ill = draw(np.arange(1500) % 4 + 1, counts, 13), draw_ill(kind, 200, counts, 14)
    assert np.mean(classifier.predict(good) == 0) <= 0.015
    assert np.mean(classifier.predict(ill) == 0) >= least
    if kind != "half dead time":
        low, high = np.quantile(good.sum(1), [0.005, 0.995])
        assert np.mean((ill.sum(1) < low) | (ill.sum(1) > high)) < 0.2


def test_a_probe_on_a_boundary_is_not_ill(classifier, means):
    rng = np.random.default_rng(5)
    shares = rng.uniform(0.1, 0.9, 300)[:, None]
    mixed = rng.poisson(1000 * (shares * means[0] + (1 - shares) * means[1]))
    assert np.mean(classifier.predict(mixed) == 0) <= 0.02
    assert set(classifier.predict(mixed)) <= {0, 1, 2}


def test_nothing_counted_is_ill(classifier):
    empty = np.zeros(2048, np.uint32)
    assert classifier.predict(empty).tolist() == [0]
    assert np.all(np.isfinite(classifier.predict_proba(empty)))


def test_a_stored_classifier_decides_bit_for_bit_the_same(classifier, draw, tmp_path):
    classifier.save(tmp_path / "phases.npz")
    loaded = PhaseClassifier.load(tmp_path / "phases.npz")
    spectra = draw(np.arange(200) % 5 + 1, 400, 15)
    assert loaded.digest == classifier.digest
    assert loaded.phases == classifier.phases == ("silica", "iron", "corundum", "perovskite")
    assert np.array_equal(loaded.predict_proba(spectra), classifier.predict_proba(spectra))
    assert loaded.to_bytes() == classifier.to_bytes()
    with np.load(io.BytesIO(classifier.to_bytes()), allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


def test_live_and_batch_are_bit_for_bit_the_same(classifier, draw):
    spectra = draw(np.arange(64) % 5 + 1, 200, 16)
    batch = classifier.predict_proba(spectra)
    assert np.array_equal(batch, np.concatenate([classifier.predict_proba(s) for s in spectra]))


@pytest.mark.parametrize("blob", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_broken_files_are_refused(blob):
    with pytest.raises(ValueError, match="not a stored phase classifier"):
        PhaseClassifier.from_bytes(blob)


def test_another_archive_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", means=np.ones(3))
    with pytest.raises(ValueError, match="not a stored phase classifier"):
        PhaseClassifier.load(tmp_path / "other.npz")


def test_other_channels_are_refused_in_one_line(classifier):
    with pytest.raises(ValueError, match="spectra have 1024 channels but the classifier was made for 2048"):
        classifier.predict(np.ones((3, 1024)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [1, 3]}, "no training counts for phase 2"),
        ({"labels": [1]}, "2 training spectra but 1 labels"),
        ({"labels": [0, 0]}, "no training spectra of any phase"),
        ({"spectra": [[0.5, 1.0], [1.0, 2.0]]}, "whole counts"),
        ({"names": ["a", "a"]}, "2 different phase names"),
        ({"false_alarm_rate": 0.0}, "false_alarm_rate must lie between"),
    ],
)
def test_bad_training_is_refused_in_one_line(change, message):
    given = {"spectra": [[3, 4], [5, 1]], "labels": [1, 2]} | change
    with pytest.raises(ValueError, match=message):
        PhaseClassifier.fit(**given)


@pytest.mark.parametrize("lost", ["means", "decision", "network_09"])
def test_a_classifier_that_lacks_a_part_is_refused_by_its_file_name(classifier, tmp_path, lost):
    arrays = {name: values for name, values in classifier.arrays().items() if name != lost}
    np.savez(tmp_path / "lacking.npz", **arrays)
    with pytest.raises(ValueError, match=rf"lacking\.npz: .* lacks {lost}$"):
        PhaseClassifier.load(tmp_path / "lacking.npz")


def test_deciding_on_one_spectrum_takes_half_a_millisecond(classifier, draw):
    spectra = draw(np.arange(200) % 4 + 1, 1000, 17)
    classifier.predict(spectra[0])
    taken = []
    for spectrum in spectra:
        start = time.thread_time()
        classifier.predict(spectrum)
        taken.append(time.thread_time() - start)
    assert np.median(taken) < 0.5e-3
