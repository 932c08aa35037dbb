"""Learning the expected reduction in distortion from maps."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling import patterns
from daisy_bluesky.sampling._field import NEIGHBOURS, Field
from daisy_bluesky.sampling._fit import fit
from daisy_bluesky.sampling._model import SladsModel
from daisy_bluesky.sampling._regression import PRODUCTS, Regression
from daisy_bluesky.sampling._training_set import LabelMap, TrainingSet, collect, sample_on, sampled_field

WINDOWS = (2.0, 4.0, 8.0, 16.0)
DENSITIES = (0.05, 0.1, 0.2, 0.4, 0.8)
CHECKPOINTS = (0.05, 0.1, 0.15, 0.2, 0.3)
EXPLORATIONS = (0.003, 0.006, 0.01, 0.02)
# Exploration finds small objects that area-weighted distortion hardly counts: as much as costs no more than this.
TOLERANCE = 1.03
START = 0.01
PIXELS_PER_STATE = 3000
SCORED_MAPS = 4

BLANK = Regression(np.zeros((2, PRODUCTS)), 0.0)


def train(
    label_maps: Sequence[ArrayLike],
    *,
    windows: Sequence[float] = WINDOWS,
    densities: Sequence[float] = DENSITIES,
    calibration_maps: Sequence[ArrayLike] | None = None,
    seed: int = 0,
    description: str = "",
) -> SladsModel:
    """Train the expected reduction in distortion (ERD) on label maps.

    Features are collected where random pixels of the maps are measured at several densities; the target is the
    approximate reduction in distortion. The width of its window is the one that samples the maps best. Features are
    then collected again where that sampling goes, and the regression is fitted to both. Exploration is as large as it
    may be without sampling the maps worse. Seconds to a minute for a dozen maps of 128 x 128.

    Parameters
    ----------
    label_maps : sequence of (rows, columns) int
        Maps of labels; any integers, only their differences count.
    windows : sequence of float
        The c to choose from: the window has sigma = (distance to the nearest measurement) / c.
    densities : sequence of float
        Measured fractions at which features are collected.
    calibration_maps : sequence of (rows, columns) int, optional
        Maps on which the estimate of the remaining distortion is calibrated; the training maps when omitted.
    seed : int
        Seed of everything random in it.
    description : str
        What the maps are; kept in the model, with its score.

    Returns
    -------
    SladsModel
        The same for the same arguments.

    Raises
    ------
    ValueError
        If there is no map, a map is not two-dimensional or has fewer than 16 pixels on a side, or a window or density
        is out of range.

    References
    ----------
    Godaliyadda et al., "A supervised learning approach for dynamic sampling" (SLADS): approximate reduction in
    distortion and choice of c; Hujsak, Roth and Dravid 2018 (DAISY).
    """
    maps = [_checked(label_map) for label_map in label_maps]
    if not maps:
        raise ValueError("label_maps is empty; give at least one map")
    if not windows or min(windows) <= 0:
        raise ValueError(f"windows must be positive numbers, not {tuple(windows)}")
    if not densities or not all(0 < density < 1 for density in densities):
        raise ValueError(f"densities must lie between 0 and 1, not {tuple(densities)}")
    rng = np.random.default_rng(seed)
    scored = maps[:: -(-len(maps) // SCORED_MAPS)]
    data = _from_random_masks(maps, tuple(windows), tuple(densities), rng)
    fits = [_fit(data, number) for number in range(len(windows))]
    best = int(np.argmin([_score(regression, scored, seed) for regression in fits]))
    own = _from_own_sampling(maps, fits[best], (float(windows[best]),), rng)
    candidates = _refitted(data, best, own)
    scores = [_score(candidate, scored, seed) for candidate in candidates]
    chosen = max(number for number, score in enumerate(scores) if score <= TOLERANCE * min(scores))
    final = candidates[chosen]
    held_out = maps if calibration_maps is None else [_checked(label_map) for label_map in calibration_maps]
    return SladsModel(
        **final._asdict(),
        window=float(windows[best]),
        calibration=_calibration(final, held_out, seed),
        description=f"{description or f'{len(maps)} maps'}; mean total distortion at "
        f"{', '.join(f'{fraction:.0%}' for fraction in CHECKPOINTS)} of {len(scored)} of them: {scores[chosen]:.4f}",
    )


def _checked(label_map: ArrayLike) -> LabelMap:
    """Return a map as labels from 1, (rows, columns) int64."""
    array = np.asarray(label_map)
    if array.ndim != 2 or min(array.shape) < 16 or array.dtype.kind not in "iub":
        raise ValueError(f"label_maps: integer maps of at least 16 x 16 pixels, not {array.dtype} {array.shape}")
    _, codes = np.unique(array, return_inverse=True)
    return np.asarray(codes.reshape(array.shape) + 1, np.int64)


def _from_random_masks(
    maps: list[LabelMap], windows: tuple[float, ...], densities: tuple[float, ...], rng: np.random.Generator
) -> TrainingSet:
    """Return features and targets where random pixels are measured."""
    parts = []
    for truth in maps:
        for density in densities:
            places = rng.permutation(truth.size)[: max(round(density * truth.size), NEIGHBOURS)]
            field = sampled_field(truth, places, BLANK)
            parts.append(collect(field, truth, windows, PIXELS_PER_STATE, rng))
    return TrainingSet.joined(parts)


def _from_own_sampling(
    maps: list[LabelMap], regression: Regression, windows: tuple[float, ...], rng: np.random.Generator
) -> TrainingSet:
    """Return features and targets where a regression's own choices are measured."""
    return TrainingSet.joined(
        [
            collect(field, truth, windows, PIXELS_PER_STATE, rng)
            for number, truth in enumerate(maps)
            for field in checkpoints(truth, regression, seed=1000 + number)
        ]
    )


def checkpoints(truth: LabelMap, regression: Regression, seed: int) -> Iterator[Field]:
    """Sample a map adaptively and give its state at every checkpoint; the state goes on changing after that."""
    start = patterns.sobol((truth.shape[0], truth.shape[1]), max(START, NEIGHBOURS / truth.size), seed)
    field = sampled_field(truth, start[:, 0] * truth.shape[1] + start[:, 1], regression)
    done = len(start)
    for fraction in CHECKPOINTS:
        n = round(fraction * truth.size)
        sample_on(field.pixels, field.tiles, field.queue, regression, truth, n - done)
        done = n
        yield field


def _fit(data: TrainingSet, window: int) -> Regression:
    """Fit the regression to one window's targets."""
    return Regression(np.stack([fit(data.inputs, data.reduction[:, window]), fit(data.inputs, data.wrong)]), START)


def _refitted(data: TrainingSet, window: int, own: TrainingSet) -> list[Regression]:
    """Fit again with what the regression's own sampling met, for every exploration.

    The probability of a wrong label is learned there alone, since it is asked for there alone.
    """
    chosen = TrainingSet(data.inputs, data.reduction[:, window : window + 1], data.wrong)
    both = TrainingSet.joined([chosen, own])
    coefficients = np.stack([fit(both.inputs, both.reduction[:, 0]), fit(own.inputs, own.wrong)])
    return [Regression(coefficients, exploration) for exploration in EXPLORATIONS]


def _score(regression: Regression, maps: list[LabelMap], seed: int) -> float:
    """Return the mean total distortion over maps and checkpoints."""
    return float(
        np.mean(
            [
                (field.pixels["label"] != truth).mean()
                for number, truth in enumerate(maps)
                for field in checkpoints(truth, regression, seed + number)
            ]
        )
    )


def _calibration(regression: Regression, maps: list[LabelMap], seed: int) -> NDArray[np.float64]:
    """Return median, 5% and 95% quantile of sqrt(true) - sqrt(predicted distortion) over maps and checkpoints."""
    errors = [
        np.sqrt((field.pixels["label"] != truth).mean()) - np.sqrt(field.pixels["doubt"].mean(dtype=np.float64))
        for number, truth in enumerate(maps)
        for field in checkpoints(truth, regression, 2000 + seed + number)
    ]
    return np.asarray(np.quantile(errors, (0.5, 0.05, 0.95)), np.float64)
