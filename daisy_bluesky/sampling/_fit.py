"""Two regressors of one form: a small network, and least squares on feature products."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._features import FEATURES
from daisy_bluesky.sampling._regression import PRODUCTS, UNITS, Regression, expand_all

EPOCHS = 25
BATCH = 512
LEARNING_RATE = 0.02


def fit_least_squares(inputs: NDArray[np.float64], targets: NDArray[np.float64], exploration: float) -> Regression:
    """Fit the coefficients of the second-order feature products by least squares.

    Parameters
    ----------
    inputs : (n, FEATURES) float64
        Features.
    targets : (n, 2) float64
        Reduction over squared distance, and 1 where the label is wrong.
    exploration : float
        Floor of the first prediction.

    Returns
    -------
    Regression
        Without hidden units.

    References
    ----------
    Hujsak, Roth and Dravid 2018 (DAISY), who map features to utility "using simple linear least squares".
    """
    terms = np.empty((len(inputs), PRODUCTS))
    expand_all(inputs, terms)
    scale = np.sqrt((terms**2).mean(0)) + 1e-12
    solution, *_ = np.linalg.lstsq(terms / scale, targets, rcond=1e-10)
    output = np.ascontiguousarray((solution / scale[:, None]).T)
    return Regression(np.zeros((FEATURES, 0)), np.zeros(0), output, np.zeros(2), exploration)


def fit_network(inputs: NDArray[np.float64], targets: NDArray[np.float64], exploration: float, seed: int) -> Regression:
    """Fit a network of one hidden layer of rectified units by Adam on the mean squared error.

    Parameters
    ----------
    inputs : (n, FEATURES) float64
        Features.
    targets : (n, 2) float64
        Reduction over squared distance, and 1 where the label is wrong.
    exploration : float
        Floor of the first prediction.
    seed : int
        Seed of the first weights and of the order of the batches.

    Returns
    -------
    Regression
        With UNITS hidden units; inputs and targets unscaled.
    """
    import torch

    mean, spread = inputs.mean(0), inputs.std(0) + 1e-9
    scale = targets.std(0) + 1e-9
    x = torch.as_tensor((inputs - mean) / spread, dtype=torch.float32)
    y = torch.as_tensor(targets / scale, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    shapes = ((FEATURES, UNITS), (UNITS,), (UNITS, 2), (2,))
    weights = [(torch.rand(shape, generator=generator) * 2 - 1) / shape[0] ** 0.5 for shape in shapes]
    for weight in weights:
        weight.requires_grad_()
    batches = max(len(x) // BATCH, 1)
    optimiser = torch.optim.Adam(weights, LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=EPOCHS * batches)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x), generator=generator).tensor_split(batches):
            optimiser.zero_grad()
            predicted = torch.relu(x[batch] @ weights[0] + weights[1]) @ weights[2] + weights[3]
            torch.nn.functional.mse_loss(predicted, y[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    hidden, bias, output, offset = (weight.detach().numpy().astype(np.float64) for weight in weights)
    hidden = hidden / spread[:, None]
    return Regression(
        np.ascontiguousarray(hidden),
        bias - mean @ hidden,
        np.ascontiguousarray((output * scale).T),
        offset * scale,
        exploration,
    )
