"""Grey images: sampled by levels of grey, judged by the mean absolute error, beside a uniform raster.

The model has learned from other micrographs of the same kinds, cut into the same levels. Static patterns are
reconstructed with whichever covariance suits the truth best, ours with the one that its own measurements tell:
neighbours in a raster are all equally far, so that leaving some out does not tell it reliably.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.sampling import COVARIANCES, Covariance, Slads, SladsModel, patterns, reconstruct_values, train

IMAGES = ("dendrite_test_128", "twophase_set10_256", "powder_set2_256", "powder_set5_256")
TRAINING = ("dendrite_train2_128", "dendrite_train3_128", "powder_set3_256", "powder_set4_256")
NETWORKS = 2
FRACTIONS = (0.1, 0.15, 0.2)
LEVELS = 16
SEEDS = range(10)
Image = NDArray[np.float64]


def measure(data: Path) -> Iterator[Gate]:
    """Sample micrographs that the model has never seen."""
    if not (data / "micrographs_slads.npz").is_file():
        yield Gate("grey images", f"skipped: no micrographs in {data}")
        return
    with np.load(data / "micrographs_slads.npz", allow_pickle=False) as images:
        learned = [levels(images[name].astype(float)) for name in TRAINING]
        model = train(learned, networks=NETWORKS, tolerance=1.0)
        for name in IMAGES:
            yield compare(name, images[name].astype(float), model, SEEDS)


def levels(image: Image) -> NDArray[np.int64]:
    """Return the level of every pixel of an image of values 0 to 255, 1 to `LEVELS`."""
    return 1 + np.minimum(image * LEVELS / 256, LEVELS - 1).astype(np.int64)


def compare(name: str, image: Image, model: SladsModel, seeds: range) -> Gate:
    """Return the row of one image, (rows, columns), values 0 to 255."""
    low, own, high = np.quantile([adaptive(image, model, seed) for seed in seeds], (0.25, 0.5, 0.75), axis=0)
    beside: dict[str, list[float]] = {
        pattern.__name__: [_static(image, pattern.__name__, f) for f in FRACTIONS]
        for pattern in (patterns.raster, patterns.jittered, patterns.sobol)
    }
    return Gate(
        f"grey image {name}, {LEVELS} levels as labels, learned from other micrographs: "
        f"mean absolute error of 0-255 at 10 / 15 / 20%, median of start "
        f"seeds {seeds[0]}-{seeds[-1]}",
        f"{_at(own)}; quartiles {_at(low)} and {_at(high)}",
        "below the uniform raster's",
        bool((own < beside["raster"]).all()),
        "; ".join(f"{pattern} {_at(errors)}" for pattern, errors in beside.items()),
        {
            f"{which} at {fraction:.0%}": float(error)
            for which, errors in {"ours": own.tolist(), **beside}.items()
            for fraction, error in zip(FRACTIONS, errors, strict=True)
        },
    )


def adaptive(image: Image, model: SladsModel, seed: int) -> list[float]:
    """Sample an image one pixel at a time; return the errors at every fraction."""
    labels = levels(image)
    sampler = Slads(image.shape, phases=LEVELS, model=model, seed=seed)
    errors, done = [], 0
    for fraction in FRACTIONS:
        wanted = round(fraction * image.size)
        for _ in range(wanted - done):
            visit = sampler.suggest()[0]
            place = (int(visit["row"]), int(visit["column"]))
            sampler.ingest([place], [int(labels[place])])
        done = wanted
        errors.append(_error(image, np.argwhere(sampler.measured)))
    return errors


def _static(image: Image, name: str, fraction: float) -> float:
    places = getattr(patterns, name)(image.shape, fraction, 0)
    return min(_error(image, places, covariance) for covariance in COVARIANCES)


def _error(image: Image, places: NDArray[np.int64], covariance: Covariance | None = None) -> float:
    shape = (image.shape[0], image.shape[1])
    made = reconstruct_values(shape, places, image[tuple(places.T)], covariance=covariance)
    return float(np.abs(made - image).mean())


def _at(errors: NDArray[np.float64] | list[float]) -> str:
    return " / ".join(f"{error:.2f}" for error in errors)
