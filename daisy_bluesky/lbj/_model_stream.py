"""A spectral model in a stream of adaptive bits: the mean and the loadings before the voxels, the scores with them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._adaptive_bits import (
    BROKEN,
    CODED,
    PLAIN,
    SPARE,
    TREE,
    Streams,
    put_number,
    take_number,
)
from daisy_bluesky.lbj._spectral_model import (
    LARGEST_LOADING,
    LARGEST_MEAN,
    LARGEST_SCORE,
    MOST_COMPONENTS,
    predict,
    weights_of,
)

MEAN = 0
LOADINGS = TREE
SCORES = LOADINGS + MOST_COMPONENTS * TREE
EXCESS = SCORES + MOST_COMPONENTS * TREE
SIGN_OF_ZERO = EXCESS
"""The first context of a tree is not used by its symbols."""
VOXELS = EXCESS + TREE
"""First context of the voxels; below are those of the model and of values far off."""


class Noise(NamedTuple):
    """Variance of a voxel: `slope` times its prediction, plus `floor`."""

    slope: np.int64
    floor: np.int64


class Terms(NamedTuple):
    """What is written of a `SpectralModel`."""

    mean_shift: np.int64
    mean: NDArray[np.int64]
    shifts: NDArray[np.int64]
    loadings: NDArray[np.int64]
    scores: NDArray[np.int64]


@compiled
def begin_model(
    modelled: bool, noise: Noise, terms: Terms, streams: Streams
) -> tuple[bool, NDArray[np.int64], NDArray[np.int64]]:
    """Write the model; return whether there was room, and mean and its sigma, (channels,), in fixed-point units."""
    fits = not modelled or put_model(terms.mean, terms.loadings, streams)
    mean = terms.mean << terms.mean_shift
    return fits, mean, weights_of(mean, noise.slope, noise.floor)


@compiled
def put_prediction(
    spectrum: int,
    mean: NDArray[np.int64],
    weights: NDArray[np.int64],
    terms: Terms,
    streams: Streams,
    out: NDArray[np.int64],
) -> None:
    """Write the scores of a spectrum, and fill `out`, (channels,), with what they predict."""
    put_scores(terms.scores[spectrum], streams)
    predict(mean, weights, terms.shifts, terms.loadings, terms.scores[spectrum], out)


@compiled
def take_terms(
    channels: int, noise: Noise, mean_shift: np.int64, components: int, streams: Streams
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Read a model; return mean and its sigma, (channels,), in fixed-point units, and loadings."""
    mean, loadings = np.zeros(channels, np.int64), np.zeros((components, channels), np.int64)
    take_model(mean_shift, mean, loadings, streams)
    mean = mean << mean_shift
    return mean, weights_of(mean, noise.slope, noise.floor), loadings


@compiled
def take_prediction(
    mean: NDArray[np.int64],
    weights: NDArray[np.int64],
    shifts: NDArray[np.int64],
    loadings: NDArray[np.int64],
    streams: Streams,
    out: NDArray[np.int64],
) -> None:
    """Read the scores of a spectrum, and fill `out`, (channels,), with what they predict."""
    scores = np.empty(shifts.size, np.int64)
    take_scores(scores, streams)
    predict(mean, weights, shifts, loadings, scores, out)


@compiled
def has_room(streams: Streams) -> bool:
    """Return whether both streams can take another voxel."""
    return bool(streams.state[CODED] + SPARE < streams.coded.size and streams.state[PLAIN] + SPARE < streams.plain.size)


@compiled
def put_model(
    mean: NDArray[np.int64],
    loadings: NDArray[np.int64],
    streams: Streams,
) -> bool:
    """Write mean, (channels,), and loadings, (components, channels); return False where they do not fit."""
    before = np.int64(0)
    for channel in range(mean.size):
        if not has_room(streams):
            return False
        put_number(mean[channel] - before, np.int64(MEAN), streams)
        before = mean[channel]
    for component in range(loadings.shape[0]):
        for channel in range(loadings.shape[1]):
            if not has_room(streams):
                return False
            put_number(loadings[component, channel], np.int64(LOADINGS + component * TREE), streams)
    return True


@compiled
def take_model(
    mean_shift: np.int64,
    mean: NDArray[np.int64],
    loadings: NDArray[np.int64],
    streams: Streams,
) -> None:
    """Fill mean, (channels,), and loadings, (components, channels); the stream is broken where one is out of range."""
    value = np.int64(0)
    for channel in range(mean.size):
        value += take_number(np.int64(MEAN), streams)
        if abs(value) > LARGEST_MEAN >> mean_shift:
            streams.state[BROKEN] = 1
            value = np.int64(0)
        mean[channel] = value
    for component in range(loadings.shape[0]):
        for channel in range(loadings.shape[1]):
            value = take_number(np.int64(LOADINGS + component * TREE), streams)
            if abs(value) > LARGEST_LOADING:
                streams.state[BROKEN] = 1
                return
            loadings[component, channel] = value


@compiled
def put_scores(
    scores: NDArray[np.int64],
    streams: Streams,
) -> None:
    """Write the scores, (components,), of one spectrum."""
    for component in range(scores.size):
        put_number(scores[component], np.int64(SCORES + component * TREE), streams)


@compiled
def take_scores(
    scores: NDArray[np.int64],
    streams: Streams,
) -> None:
    """Fill the scores, (components,), of one spectrum; the stream is broken where one is out of range."""
    for component in range(scores.size):
        score = take_number(np.int64(SCORES + component * TREE), streams)
        if abs(score) > LARGEST_SCORE:
            streams.state[BROKEN] = 1
            score = np.int64(0)
        scores[component] = score
