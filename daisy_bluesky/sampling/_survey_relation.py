"""How the grey values of a survey image relate to the phases, learned from pixels that spectra have told about."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 32
ROUNDS = 4
# Pixels that the grey values of all phases together weigh against those of one phase.
PRIOR_PIXELS = 20.0
# Share of a phase's pixels whose grey value may be anything: dirt, dead pixels, what the image shows beside the phases.
ASTRAY = 0.02
SMOOTHING = np.array([0.25, 0.5, 0.25])


class Relation(NamedTuple):
    """What a grey value says about the phases.

    Attributes
    ----------
    trend : (terms,) float64
        What of a grey value comes from where the pixel is: thickness, shading.
    edges : (bins - 1,) float64
        Grey values, trend removed, between which a bin lies.
    ratio : (bins, phases) float64
        ``log(p(grey | phase) / p(grey))``, nats.
    """

    trend: NDArray[np.float64]
    edges: NDArray[np.float64]
    ratio: NDArray[np.float64]

    def log_ratio(self, grey: NDArray[np.float64], terms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what grey values (n,) at places of trend terms (n, terms) say about the phases, (n, phases) nats."""
        return np.asarray(self.ratio[np.searchsorted(self.edges, grey - terms @ self.trend)])


def learn_relation(grey: NDArray[np.float64], terms: NDArray[np.float64], told: NDArray[np.float64]) -> Relation:
    """Learn what grey values say about phases.

    The likeliest relation, by expectation and maximisation: in turn every pixel's phases are weighed by what spectra
    and grey value say together, and trend and grey values of the phases follow from the pixels so weighed. The first
    weights are what spectra say alone.

    Parameters
    ----------
    grey : (n,) float64
        Grey values.
    terms : (n, terms) float64
        Smooth functions of the pixels' positions, whose sum is the trend.
    told : (n, phases) float64
        Probabilities of the phases without the image; rows sum to 1.

    Returns
    -------
    Relation
    """
    weight = told
    for _ in range(ROUNDS):
        relation = _maximised(grey, terms, weight)
        weight = told * np.exp(relation.log_ratio(grey, terms))
        weight /= weight.sum(axis=1, keepdims=True)
    return relation


def _maximised(grey: NDArray[np.float64], terms: NDArray[np.float64], weight: NDArray[np.float64]) -> Relation:
    trend = _trend(grey, terms, weight)
    flat = grey - terms @ trend
    edges = np.unique(np.quantile(flat, np.arange(1, BINS) / BINS))
    bins = np.searchsorted(edges, flat)
    count = len(edges) + 1
    found = np.stack([np.bincount(bins, column, count) for column in weight.T], axis=1)
    share = np.bincount(bins, minlength=count)[:, None] / len(flat)
    padded = np.pad(found, ((1, 1), (0, 0)), mode="edge")
    smooth = sum(part * padded[shift : shift + count] for shift, part in enumerate(SMOOTHING))
    density = (smooth + PRIOR_PIXELS * share) / (smooth.sum(axis=0) + PRIOR_PIXELS)
    ratio = (1 - ASTRAY) * density / np.maximum(share, 1e-12) + ASTRAY
    return Relation(trend, edges, np.log(ratio))


def _trend(grey: NDArray[np.float64], terms: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted least-squares trend beside one grey level for each phase, (terms,)."""
    mass = np.maximum(weight.sum(axis=0), 1e-9)
    level = (weight.T @ grey) / mass
    centre = (weight.T @ terms) / mass[:, None]
    normal = terms.T @ terms - (centre * mass[:, None]).T @ centre
    target = terms.T @ grey - centre.T @ (mass * level)
    normal += np.eye(len(normal)) * (1e-6 * np.trace(normal) + 1e-12)
    return np.asarray(np.linalg.solve(normal, target))
