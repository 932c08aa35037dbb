"""Training the network that predicts what a measurement brings."""

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from daisy_bluesky.sampling._regression import DOUBT, REDUCTION, SIZES, SURPRISE

BATCH = 2048
LARGEST_RATE = 4e-3
# Weight of the reduction's loss beside those of the two probabilities.
EMPHASIS = 5.0


def fit(
    inputs: NDArray[np.float32],
    reduction: NDArray[np.float32],
    surprise: NDArray[np.float32],
    doubt: NDArray[np.float32],
    *,
    passes: int,
    seed: int,
) -> NDArray[np.float32]:
    """Return the weights of the network that predicts targets from descriptions of pixels.

    The reduction is fitted by Poisson deviance, whose optimum is the mean however skewed the targets are, the two
    probabilities by cross-entropy. One thread, so that the result does not depend on how many there are.

    Parameters
    ----------
    inputs : (n, INPUTS) float32
        Descriptions.
    reduction : (n,) float32
        Approximate reduction in distortion over squared distance to the nearest measurement.
    surprise, doubt : (n,) float32
        1 where the neighbours' vote was wrong, and where the reconstruction was.
    passes : int
        How often everything is gone through.
    seed : int
        Seed of the initial weights and of the order.

    Returns
    -------
    (WEIGHTS,) float32
        As `Regression` takes them.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        centre, spread = inputs.mean(0, dtype=np.float64), inputs.std(0, dtype=np.float64) + 1e-6
        scaled = torch.from_numpy(((inputs - centre) / spread).astype(np.float32))
        targets = torch.from_numpy(np.stack([reduction, surprise, doubt], axis=1))
        network = _train(scaled, targets, passes, torch.Generator().manual_seed(seed))
    finally:
        torch.set_num_threads(threads)
    return _packed(network, centre, spread)


def _network(targets: torch.Tensor, generator: torch.Generator) -> torch.nn.Sequential:
    """Return a network with random hidden layers that predicts the mean reduction."""
    layers = [torch.nn.Linear(before, after) for before, after in pairwise(SIZES)]
    with torch.no_grad():
        for layer in layers[:-1]:
            bound = layer.in_features**-0.5
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.uniform_(-bound, bound, generator=generator)
        layers[-1].weight.zero_()
        layers[-1].bias.fill_(-3.0)
        layers[-1].bias[REDUCTION] = torch.log(targets[:, REDUCTION].mean() + 1e-6)
    return torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])


def _train(inputs: torch.Tensor, targets: torch.Tensor, passes: int, generator: torch.Generator) -> torch.nn.Sequential:
    """Return the trained network."""
    network = _network(targets, generator)
    batches = max(len(inputs) // BATCH, 1)
    optimiser = torch.optim.Adam(network.parameters(), LARGEST_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LARGEST_RATE, total_steps=passes * batches)
    for _ in range(passes):
        for chosen in torch.randperm(len(inputs), generator=generator)[: batches * BATCH].chunk(batches):
            optimiser.zero_grad()
            _loss(network(inputs[chosen]), targets[chosen]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network


def _loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of a batch."""
    logarithm = outputs[:, REDUCTION]
    deviance = (torch.exp(logarithm) - targets[:, REDUCTION] * logarithm).mean()
    chances = functional.binary_cross_entropy_with_logits(
        outputs[:, [SURPRISE, DOUBT]], targets[:, [SURPRISE, DOUBT]], reduction="none"
    )
    return EMPHASIS * deviance + chances.sum(1).mean()


def _packed(
    network: torch.nn.Sequential, centre: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the layers in one row, the scaling of the inputs made part of the first."""
    parts = [parameter.detach().numpy().astype(np.float64) for parameter in network.parameters()]
    parts[0] = parts[0] / spread
    parts[1] = parts[1] - parts[0] @ centre
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return np.concatenate([np.vstack([weight.T, bias]).ravel() for weight, bias in pairs]).astype(np.float32)
