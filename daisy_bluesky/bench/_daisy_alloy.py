"""Precipitates poor in titanium in a Ti-Al alloy by EDS, with that goal stated."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage

from daisy_bluesky.bench._daisy_run import Measured, Microscope, rivals, run
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.specimen import VirtualSpecimen

SHAPE = (128, 128)
FRACTION = 0.10
LINE = "Ti Ka"
GOAL = f"poor in {LINE}"
SEEDS = range(1, 4)
CURRENT, COUNTS, SETTLING, READ_OUT = 100.0, 400.0, 0.2e-3, 5e-3
PRECIPITATE = 3


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - the virtual specimen needs no data
    """Map the precipitates until the dose is spent, with and without saying what they are mapped for."""
    return compare(SHAPE, SEEDS)


def compare(shape: tuple[int, int], seeds: range) -> Iterator[Gate]:
    """Map one alloy for each seed, beside its rivals."""
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in seeds:
        microscope = _microscope(shape, seed)
        for name, measured in _maps(microscope, seed).items():
            found.setdefault(name, []).append(_judged(microscope, measured))
    errors = {name: np.median(values, axis=0) for name, values in found.items()}
    goal = errors.pop("goal")
    best = min(float(error[0]) for name, error in errors.items() if name.startswith("equal"))
    yield Gate(
        f"precipitates poor in Ti, {shape[0]} x {shape[1]}, EDS of {COUNTS:g} counts, dose of {FRACTION:.0%} of the "
        f"pixels, goal {GOAL!r}: wrong pixels over those of the precipitates, median of seeds {seeds[0]}-{seeds[-1]}",
        f"{goal[0]:.3f}; {goal[1]:.0%} of the precipitates found",
        beside="; ".join(f"{name} {error[0]:.3f}, {error[1]:.0%} found" for name, error in errors.items())
        + ("" if goal[0] <= best else "; HERE THE RASTER WINS"),
        figures={"goal": float(goal[0]), **{name: float(error[0]) for name, error in errors.items()}},
    )


def _microscope(shape: tuple[int, int], seed: int) -> Microscope:
    specimen = VirtualSpecimen.alloy(shape, seed=seed)
    return Microscope(specimen, "eds", CURRENT, specimen.eds_dwell(COUNTS, CURRENT), SETTLING, READ_OUT)


def _maps(microscope: Microscope, seed: int) -> dict[str, Measured | None]:
    ours = {
        name: run(
            microscope,
            (LINE,),
            adaptive_map,
            objectives=objectives,
            dwell_time=microscope.dwell,
            fraction=1.0,
            start_fraction=0.01,
            max_dose=microscope.dose_of(FRACTION),
            seed=seed,
        )
        for name, objectives in {"goal": {GOAL: 1.0}, f"adaptive, map of {LINE} alone": {LINE: 1.0}}.items()
    }
    return {**ours, **rivals(microscope, (LINE,), FRACTION, seed)}


def _judged(microscope: Microscope, found: Measured | None) -> tuple[float, float]:
    """Return wrong pixels over those of precipitates, and the part of the precipitates of which half is found."""
    specimen = microscope.specimen
    truth = specimen.labels == PRECIPITATE
    if found is None:
        return 1.0, 0.0
    levels = [microscope.true_rates(LINE)[specimen.labels == label].mean() for label in (1, PRECIPITATE)]
    poor = found.image(LINE, specimen.shape) < np.mean(levels)
    objects, count = ndimage.label(truth)
    parts = ndimage.mean(poor, objects, np.arange(1, count + 1))
    return float((poor != truth).sum() / truth.sum()), float(np.mean(np.asarray(parts) >= 0.5))
