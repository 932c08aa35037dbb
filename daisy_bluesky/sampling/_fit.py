"""Least squares on the second-order products of the features."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._regression import PRODUCTS, expand_all


def fit(inputs: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficients that predict a target from features by least squares.

    A network of one hidden layer of 16 rectified units in its place sampled no better (mean total distortion of twelve
    generated maps 0.0157 for both, of two dendrite maps 0.0176 against 0.0178) and took three times as long to train.

    Parameters
    ----------
    inputs : (n, FEATURES) float64
        Features.
    target : (n,) float64
        What to predict.

    Returns
    -------
    (PRODUCTS,) float64
        Coefficients of 1, the features, and their second-order products.

    References
    ----------
    Hujsak, Roth and Dravid 2018 (DAISY), who map features to utility "using simple linear least squares".
    """
    terms = np.empty((len(inputs), PRODUCTS))
    expand_all(inputs, terms)
    scale = np.sqrt((terms**2).mean(0)) + 1e-12
    solution, *_ = np.linalg.lstsq(terms / scale, target, rcond=1e-10)
    return np.asarray(solution / scale, np.float64)
