"""Training of the two learned models; the only module that imports torch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import nn

from daisy_bluesky.classify._counts import Integers, Singles
from daisy_bluesky.classify._network_shape import NetworkShape

Batch = Callable[[], tuple[Singles, Integers]]


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Train on one thread from a seed; leaves torch's threads and random state as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def train_projection(batch: Batch, widths: tuple[int, ...], line: Singles, steps: int, seed: int) -> list[Singles]:
    """Return weights, (in, out) each, of a fully connected network that projects spectra onto a straight line.

    The layers have no bias, so that the network cannot reach the line without looking at the spectrum.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), eq. 7.
    """
    with reproducible(seed):
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs, bias=False), nn.ReLU()]
        network = nn.Sequential(*layers[:-1])
        target = torch.from_numpy(line)

        def loss() -> torch.Tensor:
            spectra, _ = batch()
            squares: torch.Tensor = (network(torch.from_numpy(spectra)) - target) ** 2
            return 0.5 * squares.sum(1).mean()

        _descend(network, loss, steps)
    return [layer.weight.detach().numpy().T.copy() for layer in network if isinstance(layer, nn.Linear)]


def train_classifier(network: Callable[[], nn.Module], batch: Batch, steps: int, seed: int) -> nn.Module:
    """Return the network that `network` builds, trained to least cross-entropy.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), eqs. 12-13.
    """
    with reproducible(seed):
        built = network()
        entropy = nn.CrossEntropyLoss()

        def loss() -> torch.Tensor:
            spectra, labels = batch()
            result: torch.Tensor = entropy(built(torch.from_numpy(spectra)), torch.from_numpy(labels - 1))
            return result

        _descend(built, loss, steps)
    return built


def phase_network(bins: int, shape: NetworkShape, phases: int) -> nn.Sequential:
    """Return two convolution and max-pool layers and three fully connected ones, untrained, for inputs (n, 1, bins)."""
    width, stride = shape.width, shape.stride
    return nn.Sequential(
        nn.Unflatten(1, (1, bins)),
        nn.Conv1d(1, shape.features[0], width, stride),
        nn.ReLU(),
        nn.MaxPool1d(width, stride),
        nn.Conv1d(shape.features[0], shape.features[1], width, stride),
        nn.ReLU(),
        nn.MaxPool1d(width, stride),
        nn.Flatten(),
        nn.Linear(shape.flat(bins), shape.neurons[0]),
        nn.ReLU(),
        nn.Linear(shape.neurons[0], shape.neurons[1]),
        nn.ReLU(),
        nn.Linear(shape.neurons[1], phases),
    )


def _descend(network: nn.Module, loss: Callable[[], torch.Tensor], steps: int) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
