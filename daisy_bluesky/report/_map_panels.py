"""The maps of a report: one image with a title each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.interpolate import griddata

from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._outcome import GroundTruth, MapOutcome
from daisy_bluesky.report._run import RunSummary
from daisy_bluesky.report._wrong_pixels import distortion

PALE = 0.82
CLIPPED = (0.5, 99.5)
"""Percentiles of an image that become dark and white."""
DARK = 0.15
"""How far the darker percentile stays from black, as a share of the range."""


@dataclass(frozen=True)
class MapPanel:
    """An image and what is written above it.

    Attributes
    ----------
    title, note : str
        What it shows, and a figure.
    image : ndarray
        (rows, columns) of intensities, or (rows, columns, 3) of colours from 0 to 1.
    """

    title: str
    note: str
    image: NDArray[np.floating]

    def draw(self, axes: Axes) -> None:
        """Draw the panel."""
        options: dict[str, Any] = {"interpolation": "nearest"}
        if self.image.ndim == 2:
            low, high = np.percentile(self.image, CLIPPED)
            dark = low - DARK * (high - low)
            options |= {"cmap": "gray", "vmin": dark, "vmax": max(high, dark + 1e-12)}
        axes.imshow(self.image, **options)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set(linewidth=0.6, color=colours.INK)
        axes.set_title(self.title, loc="left", fontsize=9, fontweight="bold", color=colours.INK, pad=4)
        axes.set_title(self.note, loc="right", fontsize=7.5, color=colours.FAINT_INK, pad=4)


def map_panels(
    run: RunSummary,
    outcomes: Sequence[MapOutcome],
    truth: GroundTruth | None,
    survey: NDArray[np.floating] | None,
    survey_name: str,
) -> list[MapPanel]:
    """Return the panels of a report: with the truth where it is known, else with the best rival's map."""
    own = outcomes[0]
    ill = np.zeros(run.shape, dtype=np.bool_)
    ill[tuple(run.positions[run.labels == 0].T)] = True
    measured = MapPanel("measured", f"{100 * run.sampled_fraction:.3g} % of the pixels", _sampled(run))
    found = MapPanel("phase map", "grey: ill spectrum", colours.paint(own.phase_map, ill))
    if truth is not None:
        true = MapPanel("truth", "grey: detector fails", colours.paint(truth.labels, truth.ill))
        return [_survey(run, survey, survey_name), measured, found, true, _distortion(own, truth)]
    panels = [_survey(run, survey, survey_name), _counts(run), measured, found]
    rival = next((outcome for outcome in outcomes[1:]), None)
    return panels if rival is None else [*panels, MapPanel(rival.name, "", colours.paint(rival.phase_map))]


def fill_in(shape: tuple[int, int], positions: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate scattered values (n,) at positions (n, 2) linearly over an image, (rows, columns)."""
    known = np.isfinite(values)
    places, values = positions[known], values[known]
    grid = np.indices(shape).reshape(2, -1).T
    filled = griddata(places, values, grid, method="nearest")
    if len(values) > 3 and np.all(np.ptp(places, axis=0) > 0):
        linear = griddata(places, values, grid, method="linear")
        filled = np.where(np.isfinite(linear), linear, filled)
    return np.asarray(filled, dtype=np.float64).reshape(shape)


def _survey(run: RunSummary, survey: NDArray[np.floating] | None, name: str) -> MapPanel:
    if survey is not None:
        return MapPanel(name, "survey", survey)
    if not np.isfinite(run.haadf).any():
        return _counts(run)
    return MapPanel(name, "interpolated", fill_in(run.shape, run.positions, run.haadf))


def _counts(run: RunSummary) -> MapPanel:
    if not np.isfinite(run.counts).any():
        return MapPanel("X-ray counts", "none", np.zeros(run.shape))
    return MapPanel("X-ray counts", "interpolated", fill_in(run.shape, run.positions, run.counts))


def _sampled(run: RunSummary) -> NDArray[np.float64]:
    return np.where(run.sampled[..., None], colours.rgb(colours.OWN), 1.0)


def _distortion(own: MapOutcome, truth: GroundTruth) -> MapPanel:
    image = PALE + (1 - PALE) * colours.paint(truth.labels)
    image[truth.ill] = colours.rgb(colours.HAIRLINE)
    wrong = (own.phase_map != truth.labels) & ~truth.ill
    image[wrong] = colours.rgb(colours.WRONG)
    return MapPanel("distortion", f"{int(wrong.sum())} wrong · TD {distortion(own, own.total_distortion)}", image)
