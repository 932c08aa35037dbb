import numpy as np
import pytest
import torch

from daisy_bluesky.classify import PhaseNetwork
from daisy_bluesky.classify._network_shape import NetworkShape
from daisy_bluesky.classify._phase_network import plain_weights
from daisy_bluesky.classify._torch_training import phase_network


def amplitudes(spectra, bins):
    binned = spectra.reshape(len(spectra), bins, -1).sum(2)
    return np.sqrt(binned / binned.sum(1, keepdims=True)).astype(np.float32)


def test_compiled_layers_give_what_torch_gives(draw):
    spectra = draw([1, 2, 3, 4], 800, 3)
    generator = torch.random.get_rng_state()
    model = phase_network(512, NetworkShape(), 4)
    torch.random.set_rng_state(generator)
    network = PhaseNetwork(plain_weights([p.detach().numpy() for p in model.parameters()]), 2048)
    with torch.no_grad():
        expected = model(torch.from_numpy(amplitudes(spectra, 512))).numpy()
    np.testing.assert_allclose(network.scores(spectra), expected, atol=1e-5)


def test_network_has_the_papers_layers(classifier):
    shapes = [weights.shape for weights in classifier.network.weights]
    assert shapes[0] == (10, 1, 8)
    assert shapes[2] == (10, 8, 16)
    assert [shape[1] for shape in shapes[4::2]] == [100, 32, 4]


def test_phases_are_told_apart_at_the_papers_counts(classifier, draw):
    labels = np.arange(400) % 4 + 1
    probabilities = classifier.network.predict_proba(draw(labels, 7500, 4))
    assert np.allclose(probabilities.sum(1), 1)
    assert np.mean(probabilities.argmax(1) + 1 != labels) <= 0.01


def test_one_spectrum_gives_the_same_bits_as_a_batch(classifier, draw):
    spectra = draw(np.arange(64) % 4 + 1, 300, 6)
    batch = classifier.network.scores(spectra)
    assert np.array_equal(batch, np.concatenate([classifier.network.scores(s) for s in spectra]))


@pytest.mark.parametrize("channels", [40, 300, 1024])
def test_any_number_of_channels_will_do(draw, channels):
    labels = np.repeat([1, 2], 4)
    network = PhaseNetwork(
        [np.zeros(s, np.float32) for s in [(10, 1, 8), 8, (10, 8, 16), 16]]
        + [
            np.zeros(s, np.float32)
            for s in [(NetworkShape().flat(max(-(-channels // -(-channels // 512)), 160)), 100), 100]
        ]
        + [np.zeros(s, np.float32) for s in [(100, 32), 32, (32, 2), 2]],
        channels,
    )
    assert np.array_equal(network.predict_proba(draw(labels, 100, 1)[:, :channels]), np.full((8, 2), 0.5))
