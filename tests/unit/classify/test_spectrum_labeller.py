import time

import numpy as np
import pytest

from daisy_bluesky.classify import SpectrumLabeller

KINDS = ("flat noise", "shifted gain", "half dead time", "cosmic spike")


def run(labeller, spectra, visits=None):
    """Label spectra as they come and keep up with relabelling, as a recommender does."""
    labels = {}
    for visit, spectrum in enumerate(spectra) if visits is None else zip(visits, spectra, strict=True):
        labels[visit] = labeller.label(visit, spectrum)
        labels.update(labeller.relabelled())
    return np.array([labels[visit] for visit in sorted(labels)])


def purity(labels, truth):
    """Share of spectra whose label is that of most of their phase, each label belonging to one phase."""
    table = np.zeros((truth.max() + 1, labels.max() + 1), int)
    kept = labels >= 0
    np.add.at(table, (truth[kept], labels[kept]), 1)
    named = table[1:, 1:]
    assert len(set(named.argmax(1))) == len(named), "two phases share a label"
    return named.max(1).sum() / len(truth)


def test_known_phases_get_the_classifiers_labels(classifier, draw):
    truth = np.arange(300) % 4 + 1
    spectra = draw(truth, 1000, 21)
    assert np.array_equal(run(SpectrumLabeller(classifier, 2048), spectra), classifier.predict(spectra))


@pytest.mark.parametrize(("counts", "least"), [(50, 0.9), (1000, 0.99)])
def test_phases_are_discovered_from_nothing(draw, counts, least):
    truth = np.random.default_rng(1).integers(1, 5, 600)
    labeller = SpectrumLabeller(None, 2048)
    assert labeller.phases == ()
    labels = run(labeller, draw(truth, counts, 22))
    assert labeller.phases == ("phase 1", "phase 2", "phase 3", "phase 4")
    assert purity(labels, truth) >= least


@pytest.mark.parametrize("counts", [100, 2000])
def test_an_unknown_phase_is_kept_then_named_and_its_first_spectra_relabelled(classifier, draw, counts):
    truth = np.random.default_rng(2).choice([1, 2, 3, 4, 5], 300, p=[0.3, 0.3, 0.15, 0.15, 0.1])
    labeller = SpectrumLabeller(classifier, 2048)
    first = [labeller.label(visit, spectrum) for visit, spectrum in enumerate(draw(truth, counts, 23))]
    newcomer = np.flatnonzero(truth == 5)
    assert -1 in {first[visit] for visit in newcomer[:6]}
    final = np.array(first)
    for visit, label in labeller.relabelled():
        final[visit] = label
    assert labeller.phases[:4] == classifier.phases
    assert labeller.phases[4:] == ("phase 5",)
    assert np.mean(final[newcomer] == 5) >= 0.9
    assert labeller.relabelled() == []


@pytest.mark.parametrize("counts", [100, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_ill_spectra_never_become_a_phase(classifier, draw, draw_ill, counts, kind):
    rng = np.random.default_rng(3)
    ill = rng.random(400) < 0.15
    spectra = draw(rng.integers(1, 5, 400), counts, 24)
    spectra[ill] = draw_ill(kind, int(ill.sum()), counts, 25)
    labeller = SpectrumLabeller(classifier, 2048)
    labels = run(labeller, spectra)
    assert labeller.phases == classifier.phases
    assert np.mean(labels[ill] <= 0) >= (0.7 if counts == 100 else 0.97)


def test_ill_spectra_never_become_a_phase_without_known_phases_either(draw, draw_ill):
    rng = np.random.default_rng(4)
    ill = rng.random(500) < 0.08
    truth = rng.integers(1, 4, 500)
    spectra = draw(truth, 300, 26)
    for i, number in enumerate(np.flatnonzero(ill)):
        spectra[number] = draw_ill(KINDS[i % 4], 1, 300, 100 + i)[0]
    labeller = SpectrumLabeller(None, 2048)
    labels = run(labeller, spectra)
    assert len(labeller.phases) == 3
    assert purity(labels[~ill], truth[~ill]) >= 0.98


@pytest.mark.parametrize("counts", [60, 3000])
def test_one_phase_of_uneven_thickness_stays_one(means, counts):
    rng = np.random.default_rng(5)
    absorbed = np.exp(-rng.uniform(0, 0.25, (500, 1)) * np.exp(-np.arange(2048) / 60))
    labeller = SpectrumLabeller(None, 2048)
    run(labeller, rng.poisson(counts * rng.uniform(0.5, 1.5, (500, 1)) * means[0] * absorbed))
    assert labeller.phases == ("phase 1",)


def test_the_same_sequence_gives_the_same_labels(classifier, draw):
    truth = np.random.default_rng(6).integers(1, 6, 200)
    spectra = draw(truth, 80, 27)
    for start in (None, classifier):
        one, other = SpectrumLabeller(start, 2048), SpectrumLabeller(start, 2048)
        assert [one.label(i, s) for i, s in enumerate(spectra)] == [other.label(i, s) for i, s in enumerate(spectra)]
        assert one.relabelled() == other.relabelled()
        assert np.array_equal(one.mean_spectra(), other.mean_spectra())


def test_mean_spectra_are_the_means_of_what_was_labelled(classifier, draw):
    truth = np.random.default_rng(7).integers(1, 5, 150)
    spectra = draw(truth, 500, 28)
    labeller = SpectrumLabeller(classifier, 2048)
    labels = run(labeller, spectra)
    expected = [spectra[labels == label].mean(0) for label in range(1, 5)]
    np.testing.assert_allclose(labeller.mean_spectra(), expected)


def test_a_repeated_visit_replaces_the_earlier_one(classifier, draw):
    truth = np.arange(60) % 4 + 1
    spectra = draw(truth, 800, 29)
    labeller = SpectrumLabeller(classifier, 2048)
    wrong = draw(np.roll(truth, 1), 800, 30)
    run(labeller, wrong)
    labels = run(labeller, spectra)
    assert np.array_equal(labels, truth)
    assert np.allclose(labeller.mean_spectra()[2], spectra[truth == 3].mean(0))
    assert labeller.relabelled() == []


def test_evidence_is_there_for_discovered_phases_too(draw):
    labeller = SpectrumLabeller(None, 2048)
    assert labeller.log_likelihood(np.ones(2048)).shape == (0,)
    truth = np.random.default_rng(8).integers(1, 3, 200)
    labels = run(labeller, draw(truth, 400, 31))
    evidence = labeller.log_likelihood(draw([1], 2000, 32)[0])
    assert evidence.shape == (2,)
    assert evidence.argmax() + 1 == np.bincount(labels[truth == 1]).argmax()


def test_other_channels_are_refused_in_one_line(classifier):
    with pytest.raises(ValueError, match="made for 2048 channels, the detector has 1024"):
        SpectrumLabeller(classifier, 1024)
    with pytest.raises(ValueError, match="1000 channels but the classifier was made for 2048"):
        SpectrumLabeller(None, 2048).label(1, np.ones(1000))


def test_labelling_takes_well_under_a_millisecond(classifier, draw):
    truth = np.random.default_rng(9).integers(1, 6, 400)
    labeller = SpectrumLabeller(classifier, 2048)
    taken = []
    for visit, spectrum in enumerate(draw(truth, 1000, 33)):
        start = time.thread_time()
        labeller.label(visit, spectrum)
        taken.append(time.thread_time() - start)
    assert np.median(taken) < 0.7e-3


@pytest.mark.parametrize(("counts", "known"), [(100, True), (2000, True), (1000, False)])
def test_batches_get_the_labels_they_would_get_one_by_one(classifier, draw, counts, known):
    """Bit for bit, also where phases turn up, are renewed and split in the middle of a batch."""
    truth = np.random.default_rng(4).integers(1, 6, 330)
    spectra = draw(truth, counts, 26)
    each, batches = (SpectrumLabeller(classifier if known else None, 2048) for _ in range(2))
    singly, together = run(each, spectra), np.full(330, -9)
    for start in range(0, 330, 32):
        visits = range(start, min(start + 32, 330))
        together[visits] = batches.label_batch(visits, spectra[start : visits.stop])
        for visit, label in batches.relabelled():
            together[visit] = label
    np.testing.assert_array_equal(together, singly)
    assert batches.phases == each.phases
    np.testing.assert_array_equal(
        batches.log_likelihoods(spectra[:5]), [each.log_likelihood(spectrum) for spectrum in spectra[:5]]
    )


def test_a_batch_needs_a_spectrum_for_every_visit(classifier, draw):
    with pytest.raises(ValueError, match="2 spectra for 3 visits"):
        SpectrumLabeller(classifier, 2048).label_batch(range(3), draw(np.array([1, 2]), 100, 0))
