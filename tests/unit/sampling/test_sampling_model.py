from dataclasses import replace

import numpy as np
import pytest
from sampling_maps import random_field

from daisy_bluesky.sampling import Slads, SladsModel, total_distortion, train, train_default
from daisy_bluesky.sampling._fit import fit
from daisy_bluesky.sampling._geometry import INPUTS
from daisy_bluesky.sampling._regression import DOUBT, FIRST, REDUCTION, SECOND, SURPRISE, WEIGHTS
from daisy_bluesky.sampling._training_images import training_images


@pytest.fixture(scope="module")
def small_model():
    return train([random_field(40, 1), random_field(40, 2)], rounds=2, seed=3, description="two fields")


def test_round_trips(small_model, tmp_path):
    path = tmp_path / "model.npz"
    small_model.save(path)
    for copy in (SladsModel.load(path), SladsModel.from_bytes(small_model.to_bytes())):
        assert copy.digest == small_model.digest
        np.testing.assert_array_equal(copy.weights, small_model.weights)
        assert copy.description.startswith("two fields")


def test_training_is_reproducible(small_model):
    again = train([random_field(40, 1), random_field(40, 2)], rounds=2, seed=3, description="two fields")
    assert again.to_bytes() == small_model.to_bytes()


def test_the_model_tells_which_of_the_networks_it_is(small_model):
    best = int(small_model.description.split("network of seed ")[1].split(",")[0])
    assert "the best of seeds 3 to 8" in small_model.description
    assert 3 <= best <= 8


def test_the_digest_tells_any_change(small_model):
    assert len(small_model.digest) == 64
    assert replace(small_model, exploration=0.5).digest != small_model.digest
    changed = small_model.weights.copy()
    changed[3] += 1e-6
    assert replace(small_model, weights=changed).digest != small_model.digest


def test_labels_are_only_names():
    """Renaming the phases of the training maps changes nothing."""
    maps = [random_field(32, seed) for seed in (1, 2)]
    renamed = [np.where(label_map == 1, 40, 7) for label_map in maps]
    np.testing.assert_array_equal(train(maps, rounds=1).weights, train(renamed, rounds=1).weights)


def test_a_trained_model_samples_better_than_at_random(small_model, two_phases):
    sampler = Slads(two_phases.shape, phases=2, model=small_model)
    for _ in range(two_phases.size // 8):
        visit = sampler.suggest()[0]
        place = (visit["row"], visit["column"])
        sampler.ingest([place], [two_phases[place]])
    blind = np.random.default_rng(0).permutation(np.argwhere(two_phases))[: two_phases.size // 8]
    random = Slads(two_phases.shape, phases=2, model=small_model)
    random.ingest(blind, two_phases[tuple(blind.T)])
    assert total_distortion(sampler.labels, two_phases) < 0.5 * total_distortion(random.labels, two_phases)


def test_the_network_learns_what_it_is_told():
    """Mean and probabilities that depend on the inputs in known ways; the layers evaluated in their stated order."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(3, 2, (20_000, INPUTS)).astype(np.float32)
    mean = np.exp(0.3 * (inputs[:, 0] - 3))
    chance = 1 / (1 + np.exp(3 - inputs[:, 1]))
    surprise = (rng.random(len(inputs)) < chance).astype(np.float32)
    weights = fit(inputs, rng.poisson(mean).astype(np.float32), surprise, 1 - surprise, passes=30, seed=1)
    assert weights.shape == (WEIGHTS,)
    values, start = inputs.astype(float), 0
    for before, after in ((INPUTS, FIRST), (FIRST, SECOND), (SECOND, 3)):
        layer = weights[start : start + (before + 1) * after].reshape(before + 1, after)
        start += layer.size
        values = (values if start == layer.size else np.maximum(values, 0)) @ layer[:-1] + layer[-1]
    assert np.corrcoef(np.exp(values[:, REDUCTION]), mean)[0, 1] > 0.8
    assert np.corrcoef(1 / (1 + np.exp(-values[:, SURPRISE])), chance)[0, 1] > 0.95
    assert np.corrcoef(1 / (1 + np.exp(values[:, DOUBT])), chance)[0, 1] > 0.95


def test_the_shipped_model_was_made_by_the_script_as_it_is():
    """Remaking it takes longer than a test may; what it was made from is written in it."""
    assert SladsModel.default().description.startswith(train_default.DESCRIPTION)
    assert SladsModel.default().to_bytes() == train_default.SHIPPED.read_bytes()


def test_the_script_writes_a_model(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_default, "SIDE", 32)
    monkeypatch.setattr(train_default, "TRAINING_SEEDS", (1,))
    monkeypatch.setattr(train_default, "CALIBRATION_SEEDS", (11,))
    monkeypatch.setattr("sys.argv", ["train_default", str(tmp_path / "model.npz")])
    train_default.main()
    assert SladsModel.load(tmp_path / "model.npz").digest in capsys.readouterr().out


def test_training_images_are_phase_maps():
    for image in training_images(64, 5):
        assert image.shape == (64, 64)
        assert image.min() >= 1
        assert len(np.unique(image)) >= 2


@pytest.mark.parametrize(
    ("maps", "options", "message"),
    [
        ([], {}, "label_maps is empty"),
        ([np.ones((8, 40), int)], {}, "at least 16 x 16"),
        ([np.ones((40, 40))], {}, "integer maps"),
        ([np.ones((40, 40), int)], {}, "one label"),
        ([np.eye(40, dtype=int)], {"window": 0.0}, "window"),
        ([np.eye(40, dtype=int)], {"window": float("nan")}, "window"),
        ([np.eye(40, dtype=int)], {"rounds": 0}, "rounds"),
        ([np.eye(40, dtype=int)], {"networks": 0}, "networks"),
        ([np.eye(40, dtype=int)], {"densities": (0.1, 1.0)}, "densities"),
    ],
)
def test_training_refuses_bad_arguments(maps, options, message):
    with pytest.raises(ValueError, match=message):
        train(maps, **options)


def test_refuses_other_files_and_other_models(small_model, tmp_path):
    path = tmp_path / "no-model.npz"
    for content in (b"", b"something else", small_model.to_bytes()[:-30]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"no-model\.npz.*not a sampling model"):
            SladsModel.load(path)
    with pytest.raises(ValueError, match="feature version"):
        replace(small_model, feature_version=99)
    with pytest.raises(ValueError, match="do not make a model"):
        replace(small_model, weights=np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="finite"):
        replace(small_model, exploration=float("nan"))
    with pytest.raises(FileNotFoundError):
        SladsModel.load(tmp_path / "absent.npz")


def test_a_pickle_is_refused(small_model, tmp_path):
    path = tmp_path / "pickle.npz"
    np.savez(path, **{name: np.array([{}], object) for name in ("weights", "exploration", "window")})
    with pytest.raises(ValueError, match="not a sampling model"):
        SladsModel.load(path)
