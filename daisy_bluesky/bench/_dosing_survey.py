"""What a survey image is worth: a helpful one saves electrons, a misleading one costs none."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.bench._dosed_map import dosed_map
from daisy_bluesky.bench._dosing_electrons import counts_for
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._measured_object import load_objects

OBJECTS = ("PbSn/dendrite2_test_128", "minerals/ebc_a_4_128")
SEEDS = range(4)
LEVELS = tuple(float(level) for level in np.geomspace(0.2, 8.0, 40))
WANTED = (0.01, 0.002)
MOST_HARM, LEAST_HELP = 1.1, 1.5
CONTRAST = 3.0  # difference of two phases' grey values, in standard deviations of their noise
Images = Mapping[str, Callable[[int], NDArray[np.floating]]]


def measure(data: Path) -> Iterator[Gate]:
    """Measure the electrons for two levels of distortion with and without survey images."""
    if not (data / "objects.py").is_file():
        yield Gate("electrons with a survey image", f"skipped: no measurements in {data}")
        return
    objects = load_objects(data)
    for name in OBJECTS:
        sample = CountedObject.load(objects, name)
        other = next(objects.load(each).image for each in OBJECTS if each != name)
        alone = _counts(sample, None)
        for kind, image in helpful_images(sample, objects.load(name).image).items():
            yield _gate(name, f"helpful: {kind}", alone, _counts(sample, image), helps=True)
        for kind, image in misleading_images(sample, other).items():
            yield _gate(name, f"misleading: {kind}", alone, _counts(sample, image), helps=False)


def helpful_images(sample: CountedObject, micrograph: NDArray[np.floating]) -> Images:
    """Return images, by what they are, that show the phases."""
    return {
        "the micrograph": lambda _: micrograph,
        "two standard deviations between neighbouring phases": lambda seed: (
            _shown(sample) * 2.0 / CONTRAST + _noise(sample, seed)
        ),
        "the phases under a wedge, thickness 0.3 to 1.7": lambda seed: (
            (_shown(sample) + CONTRAST) * (1 + 0.7 * _slope(sample)) + _noise(sample, seed)
        ),
    }


def misleading_images(sample: CountedObject, other: NDArray[np.floating]) -> Images:
    """Return images, by what they are, whose contrast has nothing to do with the phases where they are."""
    return {
        "another object's micrograph": lambda _: other,
        "a thickness gradient": lambda seed: _slope(sample) + 0.02 * _noise(sample, seed),
        "noise": lambda seed: _noise(sample, seed),
        "clouds of contamination": lambda seed: _clouds(sample, seed),
        "the object itself upside down": lambda seed: _shown(sample)[::-1] + _noise(sample, seed),
        "the object itself, 6 pixels off": lambda seed: (
            np.roll(_shown(sample), (6, 6), axis=(0, 1)) + _noise(sample, seed)
        ),
    }


def _shown(sample: CountedObject) -> NDArray[np.float64]:
    order = np.random.default_rng(7).permutation(sample.phases)
    return np.asarray(CONTRAST * order[sample.labels - 1], np.float64)


def _noise(sample: CountedObject, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng([seed, 91]).normal(size=sample.labels.shape)


def _slope(sample: CountedObject) -> NDArray[np.float64]:
    rows, columns = (np.linspace(-1, 1, size) for size in sample.labels.shape)
    return np.asarray(0.4 * rows[:, None] + 0.6 * columns)


def _clouds(sample: CountedObject, seed: int) -> NDArray[np.float64]:
    clouds = gaussian_filter(_noise(sample, seed), 6.0)
    return np.asarray(CONTRAST * clouds / clouds.std() + _noise(sample, seed + 100))


def _counts(sample: CountedObject, image: Callable[[int], NDArray[np.floating]] | None) -> NDArray[np.float64]:
    """Return the counts a pixel for each level of distortion, (seeds, levels)."""
    found = []
    for seed in SEEDS:
        survey: Any = None if image is None else image(seed)
        run = dosed_map(sample, LEVELS, seed=seed, survey=survey, enough=WANTED[-1])
        found.append([counts_for(run, wanted) for wanted in WANTED])
    return np.array(found)


def _gate(name: str, kind: str, alone: NDArray[np.float64], guided: NDArray[np.float64], *, helps: bool) -> Gate:
    without, reached = np.median(alone, axis=0), np.median(guided, axis=0)
    ratio = without / reached
    levels = " / ".join(f"{wanted:g}" for wanted in WANTED)
    fewer = " / ".join(f"{each:.2f}" for each in (ratio if helps else 1 / ratio))
    return Gate(
        f"{name}, seeds {SEEDS[0]}-{SEEDS[-1]}, survey image {kind}: electrons for a distortion of {levels}",
        f"{fewer} times {'fewer' if helps else 'as many'}",
        f">= {LEAST_HELP} times fewer" if helps else f"<= {MOST_HARM} times as many",
        bool((ratio >= LEAST_HELP).all() if helps else (ratio >= 1 / MOST_HARM).all()),
        f"{_list(reached)} counts a pixel, {_list(without)} without",
        {f"ratio {wanted:g}": float(each) for wanted, each in zip(WANTED, ratio, strict=True)},
    )


def _list(values: NDArray[np.float64]) -> str:
    return " / ".join(f"{value:.2f}" for value in values)
