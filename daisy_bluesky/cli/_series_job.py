"""What ``daisy-bluesky mfsi`` does, from what was typed to the files it leaves."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from daisy_bluesky.cli._amounts import numbers
from daisy_bluesky.config import load_settings
from daisy_bluesky.mfsi import SeriesFrames, SeriesOptions, Workers, lines_seen, process_series
from daisy_bluesky.report import draw_series, frame_path, maps_table, series_figures, series_table
from daisy_bluesky.spectra import EnergyAxis, LineSignal, element_signal
from daisy_bluesky.storage import DataFolder, file_frames, find_run, run_frames, write_series

DOCUMENTS = "documents.jsonl"
REPORT, FIGURES = "report.png", "figures.json"


@dataclass(frozen=True)
class Asked:
    """What was typed, beside the options of the processing itself.

    Attributes
    ----------
    sources : sequence of str
        A run, or files.
    lines : sequence of str
        Names of lines and edges.
    output : Path
        Folder to write to.
    axis : list of float or None
        Offset and dispersion of spectra.
    pixel_size, dose : float or None
        nm; e-/A^2 of a frame.
    workers : int
        Frames worked on at once.
    scheduler : str or None
        Where.
    sums : bool
        Whether the summed spectrum images are written.
    """

    sources: Sequence[str]
    lines: Sequence[str]
    output: Path
    axis: list[float] | None
    pixel_size: float | None
    dose: float | None
    workers: int
    scheduler: str | None
    sums: bool


def process(asked: Asked, *, motif: str | None, energy: str | None, **options: Any) -> None:
    """Process a series and write folder, picture and tables.

    Raises
    ------
    ValueError, OSError, MemoryError
        What was typed does not fit the series, or the series cannot be processed; nothing was written then.
    """
    console = Console()
    frames, name = _frames(asked)
    lines, edges, backgrounds = _signals(asked.lines, frames)
    if not asked.lines:
        lines = lines_seen(frames)
    chosen = SeriesOptions(
        lines=lines,
        edges=edges,
        backgrounds=backgrounds,
        motif=_motif(motif),
        energy_alignment=_energy(energy),
        **options,
    )
    _check_output(asked.output)
    with Workers(asked.workers, asked.scheduler) as workers, _progress(console) as progress:
        task = progress.add_task("reading", total=None)
        done = process_series(
            frames,
            chosen,
            mapping=workers.map,
            progress=lambda what, n, of: progress.update(task, description=what, completed=n, total=of),
        )
    path = frame_path(done)
    figures = series_figures(done, frames, chosen, path)
    console.print(series_table(figures))
    if done.maps:
        console.print(maps_table(figures))
    if lines and not asked.lines:
        console.print("lines were chosen from the spectrum; name others with --line", highlight=False)
    asked.output.mkdir(exist_ok=True)
    write_series(asked.output, done, frames, sums=asked.sums)
    (asked.output / FIGURES).write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n")
    title = f"Multi-frame spectrum image, {name}"
    picture = draw_series(asked.output / REPORT, done, frames, chosen, title=title, places=path)
    console.print(f"{picture} is the picture", highlight=False, markup=False, soft_wrap=True)


def _frames(asked: Asked) -> tuple[SeriesFrames, str]:
    """Return the series that was named, and what to call it."""
    mistyped = [source for source in asked.sources if source.startswith("--")]
    if mistyped:
        raise ValueError(f"there is no option {mistyped[0]}; see daisy-bluesky mfsi --help")
    first = Path(asked.sources[0])
    run = first if (first / DOCUMENTS).is_file() else None
    if len(asked.sources) == 1 and not first.exists() and not first.suffix:
        run = find_run(asked.sources[0], DataFolder.at(load_settings().data).journal)
    if run is not None and len(asked.sources) > 1:
        raise ValueError(f"{run} is a run; name one run, or files")
    found = file_frames(_files(asked.sources), axis=_axis(asked.axis)) if run is None else run_frames(run)
    named = replace(
        found,
        pixel_size=found.pixel_size if asked.pixel_size is None else asked.pixel_size,
        dose_per_frame=found.dose_per_frame if asked.dose is None else asked.dose,
    )
    return named, first.name if run is None else f"run {run.resolve().name[:8]}"


def _files(sources: Sequence[str]) -> list[Path]:
    """Return the files named, those of a folder by name."""
    found: list[Path] = []
    for source in map(Path, sources):
        inside = sorted(path for path in source.iterdir() if path.is_file()) if source.is_dir() else [source]
        if not inside:
            raise ValueError(f"{source}: there is no file in this folder")
        found += inside
    return found


def _axis(given: list[float] | None) -> EnergyAxis | None:
    if given is None:
        return None
    offset, dispersion = given
    if not dispersion > 0:
        raise ValueError(
            f"axis: a dispersion of {dispersion:g} is no width of a channel; give OFFSET,DISPERSION above 0"
        )
    # X-rays have tens of eV a channel, energy losses an eV or less, and 0.01 is keV
    return EnergyAxis(offset, dispersion, 1, "keV" if dispersion < 0.05 else "eV")


def _signals(
    asked: Sequence[str], frames: SeriesFrames
) -> tuple[dict[str, float], dict[str, float], dict[str, tuple[float, float]]]:
    """Return the lines, keV, the edges, eV, and the windows of their backgrounds, eV, that names stand for."""
    axes = {axis.unit: axis for axis in (frames.eds_axis, frames.eels_axis) if axis is not None}
    if asked and not axes:
        raise ValueError(f"line: {asked[0]!r} cannot be mapped, as the series has images only; give its spectra, too")
    lines: dict[str, float] = {}
    edges: dict[str, float] = {}
    backgrounds: dict[str, tuple[float, float]] = {}
    for name, _, window in (each.partition("@") for each in asked):
        found = element_signal(name, axes)
        if isinstance(found, LineSignal):
            lines[name] = found.energy
        else:
            edges[name] = found.onset  # type: ignore[attr-defined]
        if window:
            low, high = numbers("line", window, 2)
            backgrounds[name] = (low, high)
    if backgrounds.keys() & lines.keys():
        raise ValueError("line: only the background of an edge can be told; that of X-rays lies beside the line")
    return lines, edges, backgrounds


def _motif(text: str | None) -> Any:
    if text is None or text == "found":
        return text
    values = numbers("motif", text, 3, 4)
    if any(value % 1 for value in values):
        raise ValueError(f"motif: {text!r} is not in whole pixels of a frame")
    values = [int(value) for value in values]
    return (*values, values[-1]) if len(values) == 3 else tuple(values)


def _energy(text: str | None) -> Any:
    return text if text is None or text == "zero-loss" else tuple(numbers("energy", text, 2))


def _check_output(output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise ValueError(f"output: {output} is a file; name a folder")
    if not output.resolve().parent.is_dir():
        raise ValueError(f"output: there is no folder {output.resolve().parent}; create it first")
    place = output if output.exists() else output.resolve().parent
    try:
        TemporaryDirectory(dir=place).cleanup()
    except OSError as error:
        raise OSError(f"output: nothing can be written to {place} ({error.strerror}); name another folder") from None


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)
