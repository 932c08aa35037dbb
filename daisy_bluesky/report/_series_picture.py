"""The picture of a processed series."""

from pathlib import Path

from daisy_bluesky.mfsi import ProcessedSeries, SeriesFrames, SeriesOptions
from daisy_bluesky.report._series_figures import FramePath, frame_path


def draw_series(
    path: str | Path,
    done: ProcessedSeries,
    frames: SeriesFrames,
    options: SeriesOptions,
    *,
    title: str = "Multi-frame spectrum image",
    places: FramePath | None = None,
) -> Path:
    """Draw what a series shows: images and maps for growing doses, information content, drift, distortion, steadiness.

    Parameters
    ----------
    path : path-like
        Where to write the PNG.
    done : ProcessedSeries
        What the series shows.
    frames : SeriesFrames
        What it was made of.
    options : SeriesOptions
        How.
    title : str, optional
        Title of the picture.
    places : FramePath, optional
        How the frames lie, where that is known already.

    Returns
    -------
    Path
        The picture.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Figures 3, 4 and 5.
    """
    from daisy_bluesky.report._series_composition import compose_series

    figure = compose_series(done, frames, options, places or frame_path(done), title)
    figure.savefig(path, dpi=figure.dpi, metadata={"Title": title, "Software": "daisy-bluesky"})
    return Path(path)
