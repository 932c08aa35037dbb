"""The decision loop without an engine: the same policy and labeller, fed directly."""

from collections.abc import Callable
from dataclasses import dataclass
from time import thread_time

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.protocols import Labeller, Policy

Spectrum = Callable[[int, int, int], NDArray[np.generic]]


@dataclass(frozen=True)
class OfflineMap:
    """What a map found.

    Attributes
    ----------
    positions : ndarray
        (visits, 2) int64, pixels in order of measurement.
    labels : ndarray
        (visits,) int64, final labels of the visits.
    phase_map : ndarray
        (rows, columns) int64.
    decisions : ndarray
        (visits,) float64, CPU time of classify + ingest + suggest, s.
    """

    positions: NDArray[np.int64]
    labels: NDArray[np.int64]
    phase_map: NDArray[np.int64]
    decisions: NDArray[np.float64]


def map_offline(policy: Policy, labeller: Labeller, spectrum: Spectrum, visits: int) -> OfflineMap:
    """Measure so many pixels, each where the policy wants it.

    Parameters
    ----------
    policy, labeller
        What decides and what classifies.
    spectrum : callable
        Gives the (channels,) spectrum for (row, column, visit number).
    visits : int
        How many pixels to measure.
    """
    pixels: list[tuple[int, int]] = []
    labels: dict[int, int] = {}
    decisions = np.empty(visits)
    suggestion = policy.suggest(1)
    for visit in range(visits):
        pixel = int(suggestion[0]["row"]), int(suggestion[0]["column"])
        measured = spectrum(*pixel, visit)
        began = thread_time()
        labels[visit] = labeller.label(visit, measured)
        pixels.append(pixel)
        policy.ingest((pixel,), (labels[visit],), visits=(visit,))
        changed = labeller.relabelled()
        if changed:
            labels.update(changed)
            policy.ingest([pixels[v] for v, _ in changed], [k for _, k in changed], visits=[v for v, _ in changed])
        suggestion = policy.suggest(1)
        decisions[visit] = thread_time() - began
    return OfflineMap(
        np.array(pixels), np.array([labels[visit] for visit in range(visits)]), policy.reconstruct(), decisions
    )
