"""Learning the expected reduction in distortion from maps."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling import patterns
from daisy_bluesky.sampling._argument_checks import check_seed
from daisy_bluesky.sampling._calibration import calibrated, signs
from daisy_bluesky.sampling._field import NEIGHBOURS, Field
from daisy_bluesky.sampling._images import SMALLEST_SIDE
from daisy_bluesky.sampling._model import SladsModel
from daisy_bluesky.sampling._regression import WEIGHTS, Regression
from daisy_bluesky.sampling._training_set import (
    LabelMap,
    TrainingSet,
    collect,
    reconstruction_of,
    sample_on,
    sampled_field,
)

WINDOW = 4.0
DENSITIES = (0.03, 0.1, 0.2)
VISITED = (0.02, 0.035, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.3)
CHECKPOINTS = (0.05, 0.1, 0.15, 0.2, 0.3)
CALIBRATED_AT = tuple(number / 100 for number in range(3, 31, 2))
EXPLORATIONS = (0.0015, 0.003, 0.006)
# Exploration finds small objects that area-weighted distortion hardly counts: as much as costs no more than this.
TOLERANCE = 1.03
START = 0.01
PIXELS_PER_STATE = 2000
ROUNDS = 3
PASSES = 8
# Networks are fitted to the same states from so many initial weights: they sample differently well.
NETWORKS = 6
# A few maps are sampled several times, turned and mirrored, until so many runs, or so many pixels, have been.
FEWEST_RUNS, FEWEST_PIXELS = 16, 16 * 128**2

BLANK = Regression(np.zeros(WEIGHTS, np.float32), START)


def train(
    label_maps: Sequence[ArrayLike],
    *,
    window: float = WINDOW,
    densities: Sequence[float] = DENSITIES,
    rounds: int = ROUNDS,
    networks: int = NETWORKS,
    tolerance: float = TOLERANCE,
    calibration_maps: Sequence[ArrayLike] | None = None,
    seed: int = 0,
    description: str = "",
    tell: Callable[[str], object] = str,
) -> SladsModel:
    """Train the expected reduction in distortion (ERD) on label maps.

    A network learns the approximate reduction in distortion of the map that `reconstruct` makes: first where random
    pixels of the maps are measured at several densities, then also where its own sampling goes. Of several networks
    the one is kept that samples the maps best, and exploration is as large as it may be without sampling them worse
    than tolerated. Three to four minutes of one core for a dozen and a half maps of 128 x 128.

    Parameters
    ----------
    label_maps : sequence of (rows, columns) int
        Maps of labels; any integers, only their differences count.
    window : float
        The target's Gaussian window has a standard deviation of (distance to the nearest measurement) / window.
    densities : sequence of float
        Randomly measured fractions at which the network first learns.
    rounds : int
        How often it learns: once from random states, then also from those that its own sampling has led to.
    networks : int
        How many networks are fitted in the last round, from the initial weights of `seed` and the seeds after it.
    tolerance : float
        How many times the least total distortion exploration may cost; 1 samples known kinds of maps best, more finds
        small objects sooner.
    calibration_maps : sequence of (rows, columns) int, optional
        Maps on which the estimate of the remaining distortion is calibrated; the training maps when omitted.
    seed : int
        Seed of everything random in it.
    description : str
        What the maps are; kept in the model, with its score.
    tell : callable, optional
        Called with what is being done, in words, whenever the next part of the training begins.

    Returns
    -------
    SladsModel
        The same for the same arguments.

    Raises
    ------
    ValueError
        If there is no map, a map is not two-dimensional, has fewer than 16 pixels on a side or one label only, or the
        window, the rounds, the number of networks, a density or the seed is out of range.

    References
    ----------
    Godaliyadda et al., "A supervised learning approach for dynamic sampling" (SLADS): approximate reduction in
    distortion; Hujsak, Roth and Dravid 2018 (DAISY); S. Ross, G. Gordon and D. Bagnell, "A reduction of imitation
    learning and structured prediction to no-regret online learning" (2011): learning where one's own decisions lead.
    """
    check_seed(seed)
    maps = [_checked(label_map) for label_map in label_maps]
    if not maps:
        raise ValueError("label_maps is empty; give at least one map")
    if not 0 < window < np.inf:
        raise ValueError(f"window must be a positive number, not {window}")
    if not densities or not all(0 < density < 1 for density in densities):
        raise ValueError(f"densities must lie between 0 and 1, not {tuple(densities)}")
    for name, number in (("rounds", rounds), ("networks", networks)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, not {number}")
    tried = _turned(maps)
    data = _learn(tried, float(window), tuple(densities), rounds, seed, tell)
    regression, trial, score = _best(data, tried, networks, max(tolerance, 1.0), seed, tell)
    tell("calibrating its estimate of the remaining distortion")
    held_out = maps if calibration_maps is None else [_checked(label_map) for label_map in calibration_maps]
    calibration, interval = _calibration(regression, _turned(held_out), seed)
    return SladsModel(
        **regression._asdict(),
        window=float(window),
        calibration=calibration,
        interval=interval,
        description=f"{description or f'{len(maps)} maps'}; network of seed {trial}, the best of seeds {seed} to "
        f"{seed + networks - 1}; mean total distortion at "
        f"{', '.join(f'{fraction:.0%}' for fraction in CHECKPOINTS)} of {len(tried)} runs on them: {score:.4f}",
    )


def _checked(label_map: ArrayLike) -> LabelMap:
    """Return a map as labels from 1, (rows, columns) int64."""
    array = np.asarray(label_map)
    if array.ndim != 2 or min(array.shape) < SMALLEST_SIDE or array.dtype.kind not in "iub":
        raise ValueError(f"label_maps: integer maps of at least 16 x 16 pixels, not {array.dtype} {array.shape}")
    values, codes = np.unique(array, return_inverse=True)
    if len(values) < 2:
        raise ValueError("label_maps: a map of one label teaches nothing; give maps of two labels or more")
    return np.asarray(codes.reshape(array.shape) + 1, np.int64)


def _turned(maps: list[LabelMap]) -> list[LabelMap]:
    """Return the maps, and where they are few and small also turned and mirrored."""
    pixels = sum(label_map.size for label_map in maps)
    ways = min(-(-FEWEST_RUNS // len(maps)), -(-FEWEST_PIXELS // pixels), 8)
    return [
        np.ascontiguousarray(np.rot90(label_map if way < 4 else label_map[:, ::-1], way))
        for way in range(ways)
        for label_map in maps
    ]


def _learn(
    maps: list[LabelMap],
    window: float,
    densities: tuple[float, ...],
    rounds: int,
    seed: int,
    tell: Callable[[str], object],
) -> TrainingSet:
    """Return descriptions and targets of random states of the maps, and of those that networks' own sampling led to."""
    rng = np.random.default_rng(seed)
    tell(f"learning from random pixels, round 1 of {rounds}")
    data = _of_random_states(maps, window, densities, rng)
    for learned in range(1, rounds):
        tell(f"learning from its own sampling, round {learned + 1} of {rounds}")
        data = TrainingSet.joined([data, _of_own_states(maps, _fitted(data, seed), window, 1000 * learned, rng)])
    return data


def _fitted(data: TrainingSet, seed: int) -> NDArray[np.float32]:
    """Return the weights of a network fitted to descriptions and targets."""
    # torch takes half a second to import, and only training needs it
    from daisy_bluesky.sampling._fit import fit

    return fit(*vars(data).values(), passes=PASSES, seed=seed)


def _best(
    data: TrainingSet,
    maps: list[LabelMap],
    networks: int,
    tolerance: float,
    seed: int,
    tell: Callable[[str], object],
) -> tuple[Regression, int, float]:
    """Return the network that samples maps best with as much exploration as is tolerated, its seed and its score."""
    fitted, least = dict[int, NDArray[np.float32]](), dict[int, float]()
    for trial in range(seed, seed + networks):
        tell(f"fitting and trying network {trial - seed + 1} of {networks}")
        fitted[trial] = _fitted(data, trial)
        least[trial] = _score(Regression(fitted[trial], EXPLORATIONS[0]), maps, seed)
    best = min(least, key=lambda trial: least[trial])
    tell("choosing how much it explores")
    candidates = [Regression(fitted[best], exploration) for exploration in EXPLORATIONS]
    scores = [least[best], *(_score(candidate, maps, seed) for candidate in candidates[1:])]
    chosen = max(number for number, score in enumerate(scores) if score <= tolerance * min(scores))
    return candidates[chosen], best, scores[chosen]


def _of_random_states(
    maps: list[LabelMap], window: float, densities: tuple[float, ...], rng: np.random.Generator
) -> TrainingSet:
    """Return descriptions and targets where random pixels are measured."""
    parts = []
    for truth in maps:
        for density in densities:
            places = rng.permutation(truth.size)[: max(round(density * truth.size), NEIGHBOURS)]
            parts.append(collect(sampled_field(truth, places, BLANK), truth, window, PIXELS_PER_STATE, rng))
    return TrainingSet.joined(parts)


def _of_own_states(
    maps: list[LabelMap], weights: NDArray[np.float32], window: float, seed: int, rng: np.random.Generator
) -> TrainingSet:
    """Return descriptions and targets where the network's own choices are measured."""
    regression = Regression(weights, EXPLORATIONS[1])
    return TrainingSet.joined(
        [
            collect(field, truth, window, PIXELS_PER_STATE, rng)
            for number, truth in enumerate(maps)
            for field, _ in states(truth, regression, seed + number, VISITED)
        ]
    )


def states(
    truth: LabelMap, regression: Regression, seed: int, fractions: Sequence[float]
) -> Iterator[tuple[Field, NDArray[np.float64]]]:
    """Sample a map adaptively; at every fraction give its state and tally of surprises, which go on changing."""
    start = patterns.sobol((truth.shape[0], truth.shape[1]), max(START, NEIGHBOURS / truth.size), seed)
    field = sampled_field(truth, start[:, 0] * truth.shape[1] + start[:, 1], regression)
    done, tally = len(start), np.zeros((2, 2))
    for fraction in fractions:
        n = round(fraction * truth.size)
        sample_on(field.pixels, field.summary, field.queue, regression, tally, truth, n - done)
        done = max(n, done)
        yield field, tally


def _score(regression: Regression, maps: list[LabelMap], seed: int) -> float:
    """Return the mean total distortion of the reconstruction over maps and checkpoints."""
    return float(
        np.mean(
            [
                (reconstruction_of(field) != truth).mean()
                for number, truth in enumerate(maps)
                for field, _ in states(truth, regression, seed + number, CHECKPOINTS)
            ]
        )
    )


def _calibration(
    regression: Regression, maps: list[LabelMap], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the calibration of the remaining distortion over maps and many moments."""
    told, true = [], []
    for number, truth in enumerate(maps):
        for field, tally in states(truth, regression, 2000 + seed + number, CALIBRATED_AT):
            told.append(signs(field.summary.tiles, tally, truth.size))
            true.append(float((reconstruction_of(field) != truth).mean()))
    return calibrated(np.array(told), np.array(true))
