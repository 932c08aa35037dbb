"""Phase maps that could be behind a survey image, where nobody has measured a spectrum yet."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._potts import potts_posterior

ROUNDS = 50
NARROWEST = 1e-3  # of the image's range: the least standard deviation of a phase's grey values


def plausible_phase_map(image: ArrayLike, phases: int) -> NDArray[np.int64]:
    """Return a phase map that could be behind a survey image.

    The grey values are a mixture of normal distributions, one for each phase, fitted by expectation and maximisation
    from quantiles on; pixels are assigned under a Potts prior whose strength the image tells, so that noise does not
    make grains.

    Parameters
    ----------
    image : (rows, columns) array_like
        Grey values.
    phases : int
        How many phases are to be told apart.

    Returns
    -------
    (rows, columns) int64
        Labels 1..phases, from dark to bright.

    Raises
    ------
    ValueError
        If the image has fewer grey values than there are phases, or there are no two phases.
    """
    grey = np.asarray(image, np.float64)
    if phases < 2:
        raise ValueError(f"phases: {phases} phases make no map; give at least 2")
    if len(np.unique(grey)) < phases:
        raise ValueError(f"survey: the image has fewer grey values than the {phases} phases to be told apart")
    log_likelihood = _mixture(grey.ravel(), phases)
    posterior = potts_posterior(log_likelihood.reshape(*grey.shape, phases))
    return np.asarray(1 + np.argmax(posterior, axis=2), np.int64)


def _mixture(grey: NDArray[np.float64], phases: int) -> NDArray[np.float64]:
    """Return the logarithm of each phase's share and density at grey values (n,), (n, phases), dark phases first."""
    mean = np.quantile(grey, (np.arange(phases) + 0.5) / phases)
    least = NARROWEST * np.ptp(grey)
    width = np.full(phases, max(float(grey.std()) / phases, least))
    share = np.full(phases, 1 / phases)
    for _ in range(ROUNDS):
        told = _log_density(grey, mean, width, share)
        weight = np.exp(told - told.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        mass = np.maximum(weight.sum(axis=0), 1e-9)
        mean = weight.T @ grey / mass
        width = np.maximum(np.sqrt((weight * (grey[:, None] - mean) ** 2).sum(axis=0) / mass), least)
        share = mass / len(grey)
    order = np.argsort(mean)
    return _log_density(grey, mean[order], width[order], share[order])


def _log_density(
    grey: NDArray[np.float64], mean: NDArray[np.float64], width: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(np.log(share / width) - 0.5 * ((grey[:, None] - mean) / width) ** 2)
