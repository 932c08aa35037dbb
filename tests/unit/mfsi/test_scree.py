import numpy as np
import pytest

from daisy_bluesky.mfsi import InformationContent, SpectrumSum, information_content, scree_of_spectra

SHAPE, CHANNELS = (40, 50), 160
FIELDS = [("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint16)]
K = np.arange(CHANNELS)


def listed(cube):
    places = np.argwhere(cube)
    events = np.zeros(len(places), FIELDS)
    events["row"], events["column"], events["channel"] = places.T
    events["count"] = cube[tuple(places.T)]
    return events


def expected_counts(components, mean):
    """A rate of given rank, (rows, columns, channels), of `mean` counts a pixel."""
    rng = np.random.default_rng(11)
    background = np.exp(-K / 60)
    spectra = [background] + [np.exp(-0.5 * ((K - 20 - 30 * i) / 3) ** 2) for i in range(components - 1)]
    maps = [np.ones(SHAPE)] + [rng.uniform(0, 1, SHAPE) for _ in range(components - 1)]
    parts = [np.multiply.outer(m / m.mean(), s / s.sum()) for m, s in zip(maps, spectra, strict=True)]
    return mean * np.mean(parts, axis=0)


def content_of(rate, frames=1, seed=0, **options):
    rng = np.random.default_rng(seed)
    content = InformationContent(SHAPE, CHANNELS, **options)
    for _ in range(frames):
        content.add(listed(rng.poisson(rate)))
    return content


def test_variances_are_those_of_pairs_of_different_counts():
    rng = np.random.default_rng(1)
    cubes = rng.poisson(expected_counts(3, 4.0), (3, *SHAPE, CHANNELS))
    content = InformationContent(SHAPE, CHANNELS, binning=4, least_counts=1)
    for cube in cubes:
        content.add(listed(cube))
    scree = content.scree()
    binned = cubes.sum(0).reshape(-1, CHANNELS // 4, 4).sum(-1).astype(float)
    totals = binned.sum(0)
    kept = totals > 0
    pairs = (binned.T @ binned - np.diag(totals))[np.ix_(kept, kept)]
    expected = np.linalg.eigvalsh(pairs / np.sqrt(np.outer(totals[kept], totals[kept])))[::-1]
    np.testing.assert_allclose(scree.variances, expected, atol=1e-8)
    assert (scree.frames, scree.counts, scree.channels) == (3, cubes.sum(), kept.sum())


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_has_no_component_but_its_mean(seed):
    for mean in (0.5, 3.0, 30.0):
        rank = content_of(expected_counts(1, mean), seed=seed).scree().rank
        assert rank == 1 or (rank == 0 and mean < 1)


def test_rare_channels_do_not_pass_for_components():
    rate = expected_counts(1, 20.0)
    rate[..., 100:] = 60 / 60 / np.prod(SHAPE)  # one count a channel: single coincidences
    ranks = [content_of(rate, seed=seed, binning=1).scree().rank for seed in range(10)]
    assert sum(rank > 1 for rank in ranks) <= 1


@pytest.mark.parametrize("components", [2, 4, 5])
def test_components_appear_one_after_the_other_as_dose_grows(components):
    rate = expected_counts(components, 1.0)
    rng = np.random.default_rng(2)
    total = SpectrumSum(SHAPE, CHANNELS)
    for _ in range(60):
        total.add(listed(rng.poisson(rate)), np.zeros((*SHAPE, 2)))
    screes = information_content(total, [1, 9, 60])
    ranks = [scree.rank for scree in screes]
    assert ranks == sorted(ranks)
    assert ranks[-1] == components
    assert [scree.frames for scree in screes] == [1, 9, 60]
    assert sum(screes[-1].fractions) == pytest.approx(1.0)
    assert screes[-1].fractions[0] > screes[0].fractions[0]


def test_the_scree_does_not_depend_on_how_frames_are_added():
    rng = np.random.default_rng(4)
    cubes = rng.poisson(expected_counts(3, 1.0), (4, *SHAPE, CHANNELS))
    one, many = InformationContent(SHAPE, CHANNELS), InformationContent(SHAPE, CHANNELS)
    one.add(listed(cubes.sum(0)), frames=4)
    for cube in cubes[::-1]:
        many.add(listed(cube))
    np.testing.assert_allclose(one.scree().variances, many.scree().variances, atol=1e-9)


def test_shares_of_components_of_any_spectra():
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(400, 2)) * (3.0, 1.0)
    basis = np.linalg.qr(rng.normal(size=(30, 2)))[0]
    shares = scree_of_spectra((scores @ basis.T + 7).reshape(20, 20, 30))
    np.testing.assert_allclose(shares[:2], np.array([9.0, 1.0]) / 10, atol=0.02)
    assert shares[2:].max() < 1e-12


def test_an_empty_sum_has_no_components():
    scree = InformationContent(SHAPE, CHANNELS).scree()
    assert (scree.rank, scree.channels, scree.counts) == (0, 0, 0)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="binning is 0"):
        InformationContent(SHAPE, CHANNELS, binning=0)
    with pytest.raises(ValueError, match="least_counts is 0"):
        InformationContent(SHAPE, CHANNELS, least_counts=0)
    with pytest.raises(MemoryError, match="the scree needs"):
        InformationContent((4000, 4000), 4096)
    content = InformationContent(SHAPE, CHANNELS)
    with pytest.raises(ValueError, match="'row' reaches"):
        content.add(np.array([(99, 0, 0, 1)], FIELDS))
    total = SpectrumSum(SHAPE, CHANNELS)
    total.add(np.zeros(0, FIELDS), np.zeros((*SHAPE, 2)))
    for doses in ([], [0], [2], [1, 1]):
        with pytest.raises(ValueError, match="they must ascend between 1 and the 1"):
            information_content(total, doses)
    fine = SpectrumSum(SHAPE, CHANNELS, upsample=2)
    fine.add(np.zeros(0, FIELDS), np.zeros((*SHAPE, 2)))
    with pytest.raises(ValueError, match="upsampled 2 times"):
        information_content(fine, [1])
