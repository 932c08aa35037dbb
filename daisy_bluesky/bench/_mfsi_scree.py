"""How fast, and how rightly, the components of a growing series are told from its noise."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._mfsi_crystal import CHANNELS, FRAMES, SHAPE, Crystal, Frame
from daisy_bluesky.mfsi import SpectrumSum, information_content

SEEDS = range(5)
DOSES = (1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 230)
WANTED_SECONDS = 3.0
TRUE_RANK = 4
PEER_COMPONENTS = 20


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - simulated series
    """Take the scree of simulated series at the paper's fifteen doses."""
    sums = [_summed(list(Crystal(seed, background=False).frames())) for seed in SEEDS]
    information_content(sums[0], DOSES[:2])
    spent, ranks = [], []
    for total in sums:
        began = process_time()
        screes = information_content(total, DOSES)
        spent.append(process_time() - began)
        ranks.append([scree.rank for scree in screes])
    yield Gate(
        f"scree at all {len(DOSES)} doses, {FRAMES} frames of {SHAPE[0]} x {SHAPE[1]} x {CHANNELS:,}, CPU time, worst "
        f"of {len(SEEDS)} seeds",
        f"{max(spent):.2f} s",
        f"<= {WANTED_SECONDS:g} s",
        max(spent) <= WANTED_SECONDS,
        f"dense singular values of one sum, 2,048 channels: {_dense(sums[0]):.1f} s; "
        f"{decomposition(sums[0], max(spent))}",
        {"seconds": max(spent)},
    )
    found = np.array(ranks)
    settled = [dose for dose, at_dose in zip(DOSES, found.T, strict=True) if np.all(at_dose == TRUE_RANK)]
    yield Gate(
        f"components found of {TRUE_RANK}, by frames, medians of {len(SEEDS)} seeds",
        ", ".join(f"{dose}: {int(np.median(at))}" for dose, at in zip(DOSES, found.T, strict=True)),
        f"{TRUE_RANK} from 9 frames on",
        bool(np.all(np.median(found[:, 2:], axis=0) == TRUE_RANK)),
        f"{np.mean(found[:, 2:] == TRUE_RANK):.0%} of single series right from 9 frames on",
        {"first_dose": float(settled[0]) if settled else float("nan")},
    )


def _summed(frames: list[Frame]) -> SpectrumSum:
    total = SpectrumSum(SHAPE, CHANNELS)
    for frame in frames:
        total.add(frame.events, frame.displacement)
    return total


def _dense(total: SpectrumSum) -> float:
    spectra: NDArray[np.float32] = total.volume().reshape(-1, CHANNELS).astype(np.float32)
    began = process_time()
    np.linalg.eigvalsh(spectra.T @ spectra)
    return process_time() - began


def decomposition(total: SpectrumSum, beside: float) -> str:
    """Return the CPU time in which HyperSpy decomposes one sum at one dose, and as a multiple of other seconds.

    The sum is given to it dense, (rows, columns, channels) float32, and that is not timed; Poisson noise is
    normalised, and only the first components are computed, by the randomised solver: all of them take far longer.
    """
    what = f"HyperSpy decomposition of one sum, all channels, {PEER_COMPONENTS} components, randomised SVD"
    if find_spec("hyperspy") is None:
        return f"{what}: not installed"
    signal: Any = import_module("hyperspy.api").signals.Signal1D
    settings = {
        "normalize_poissonian_noise": True,
        "svd_solver": "randomized",
        "output_dimension": PEER_COMPONENTS,
        "print_info": False,
    }
    dense = signal(total.volume().astype(np.float32))
    signal(dense.data[:8, :8].copy()).decomposition(**settings)
    began = process_time()
    dense.decomposition(**settings)
    spent = process_time() - began
    return f"{what}: {spent:.1f} s = {spent / beside:.1f} x all {len(DOSES)} doses here"
