"""The picture of a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.report._named_lines import lines_to_name
from daisy_bluesky.report._outcome import GroundTruth, MapOutcome
from daisy_bluesky.report._run import RunSummary


def draw_report(
    path: str | Path,
    run: RunSummary,
    outcomes: Sequence[MapOutcome],
    *,
    pixel_size: float,
    phases: Sequence[str] = (),
    lines: Sequence[Mapping[str, float]] = (),
    truth: GroundTruth | None = None,
    survey: NDArray[np.floating] | None = None,
    survey_name: str = "HAADF",
    conclusion: str = "",
) -> Path:
    """Draw what a run measured and found, beside its rivals, 16:9 and 3840 x 2160 pixels.

    Parameters
    ----------
    path : path-like
        Where to write the PNG.
    run : RunSummary
        The run.
    outcomes : sequence of MapOutcome
        The run's own map first.
    pixel_size : float
        Distance between pixel centres, nm.
    phases : sequence of str
        Names of the phases 1..L; ``"phase k"`` for those without.
    lines : sequence of mapping
        For each phase the energies, keV, of lines that are certainly there, most important first. Other peaks of the
        mean spectra are named too, where they can be.
    truth : GroundTruth, optional
        What is there, where it is known.
    survey : (rows, columns) ndarray, optional
        A full survey image to show in place of the HAADF signal of the measured pixels.
    survey_name : str
        What the survey image, or in its place the intensity at the measured pixels, shows.
    conclusion : str
        A line at the foot of the picture.

    Returns
    -------
    Path
        The picture.

    Raises
    ------
    ValueError
        There is no outcome, or the pixel size is not positive.
    """
    from daisy_bluesky.report._figure import compose

    if not outcomes:
        raise ValueError("outcomes: there is none; give at least that of the run")
    if not pixel_size > 0:
        raise ValueError(f"pixel_size: {pixel_size} nm is not positive")
    count = int(outcomes[0].phase_map.max())
    names = [*phases, *(f"phase {label}" for label in range(len(phases) + 1, count + 1))]
    figure = compose(
        run,
        outcomes,
        pixel_size=pixel_size,
        phases=names,
        lines=lines_to_name(run, lines),
        truth=truth,
        survey=survey,
        survey_name=survey_name,
        conclusion=conclusion,
    )
    figure.savefig(path, dpi=figure.dpi, metadata={"Title": f"Run {run.start['uid']}", "Software": "daisy-bluesky"})
    return Path(path)
