"""The maps that sampling is judged on, and those it learns from."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from daisy_bluesky.sampling import SladsModel, train, train_default
from daisy_bluesky.sampling._training_images import training_images

LabelMap = NDArray[np.int64]
SIDE = 128
SEEDS = range(10)
DENDRITES = ("dendrite2_train2_128", "dendrite2_train3_128")


@dataclass(frozen=True, eq=False)
class Case:
    """A map to be sampled.

    Attributes
    ----------
    truth : (rows, columns) int64
        Labels from 1.
    ill : (rows, columns) bool
        Pixels whose spectra fail: labelled 0 when measured, and not counted.
    seed : int
        Seed of the start pattern, and of the map where it is generated.
    """

    truth: LabelMap
    ill: NDArray[np.bool_]
    seed: int

    @property
    def found(self) -> LabelMap:
        """What a measurement of each pixel says, (rows, columns) int64."""
        return np.where(self.ill, 0, self.truth)


@dataclass(frozen=True)
class Family:
    """Maps of one kind.

    Attributes
    ----------
    name : str
        What the maps are and the seeds.
    cases : list of Case
        The maps.
    training : str
        Which of `training_maps` and `trained_model` they are sampled with.
    """

    name: str
    cases: list[Case]
    training: str


def two_phases(side: int, seed: int) -> LabelMap:
    """Return a periodic Gaussian random field, sigma side / 32, cut at 35% minority, (side, side) int64."""
    smooth = smooth_field(side, seed)
    return np.asarray((smooth < np.quantile(smooth, 0.35)) + 1, np.int64)


def smooth_field(side: int, seed: int) -> NDArray[np.float64]:
    """Return a periodic Gaussian random field, sigma side / 32, of unit variance, (side, side) float64."""
    noise = np.random.default_rng([seed, 4321]).standard_normal((side, side))
    smooth = ndimage.gaussian_filter(noise, side / 32, mode="wrap")
    return np.asarray(smooth / smooth.std())


def four_phases(side: int, seed: int) -> LabelMap:
    """Return 40 Voronoi grains of three phases with 20 discs of a fourth, radius side / 100 to side / 30."""
    rng = np.random.default_rng([seed, 1234])
    grid = np.indices((side, side))
    _, grain = KDTree(rng.random((40, 2)) * side).query(grid.reshape(2, -1).T)
    truth = rng.integers(1, 4, 40)[grain].reshape(side, side)
    for _ in range(20):
        away = np.hypot(*(grid - rng.random((2, 1, 1)) * side))
        truth[away < rng.uniform(side / 100, side / 30)] = 4
    return np.asarray(truth, np.int64)


def families(data: Path, side: int = SIDE, seeds: range = SEEDS) -> list[Family]:
    """Return the test maps; the measured one only where the data are."""
    named = f"{side} x {side}, map seeds {seeds[0]}-{seeds[-1]}"
    none = np.zeros((side, side), bool)
    made = [
        Family(f"two-phase fields {named}", [Case(two_phases(side, seed), none, seed) for seed in seeds], "generic"),
        Family(f"four-phase grains {named}", [Case(four_phases(side, seed), none, seed) for seed in seeds], "generic"),
    ]
    maps = _phase_maps(data)
    if maps is None:
        return made
    truth, ill = (maps[f"dendrite2_test_128__{part}"] for part in ("labels", "ill"))
    cases = [Case(truth.astype(np.int64) + 1, ill.astype(bool), seed) for seed in seeds]
    dendrite = f"dendrite2_test_128, trained on train2 and train3, start seeds {seeds[0]}-{seeds[-1]}"
    return [Family(dendrite, cases, "dendrites"), *made]


def training_maps(data: Path, training: str) -> list[LabelMap]:
    """Return the maps that everything compared learns from: two dendrites, or generated shapes of every kind."""
    maps = _phase_maps(data)
    if training == "dendrites" and maps is not None:
        return [maps[f"{name}__labels"].astype(np.int64) + 1 for name in DENDRITES]
    return [image for seed in train_default.TRAINING_SEEDS for image in training_images(SIDE, seed)]


@cache
def trained_model(data: Path, training: str) -> SladsModel:
    """Return the sampler's model: trained on the two dendrites, or the one that comes with the package."""
    return train(training_maps(data, training), tolerance=1.0) if training == "dendrites" else SladsModel.default()


def _phase_maps(data: Path) -> dict[str, NDArray[np.generic]] | None:
    """Return the measured phase maps by name, None where there are none."""
    if not (data / "phase_maps.npz").is_file():
        return None
    with np.load(data / "phase_maps.npz", allow_pickle=False) as maps:
        return dict(maps)
