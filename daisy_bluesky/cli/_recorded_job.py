"""The main job on a recorded spectrum image."""

from pathlib import Path

from rich.console import Console

from daisy_bluesky.cli._job import measure, print_outcomes, print_picture, print_way_back
from daisy_bluesky.config import ProbeSettings, load_settings
from daisy_bluesky.devices.backends import RecordedInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.report import draw_report, recorded_outcomes, verdict
from daisy_bluesky.session import start
from daisy_bluesky.specimen import RecordedSpecimen

OVERHEAD = 0.005
"""Settling and read-out of a visit of the demonstration, s."""


def map_recorded(file: Path, *, fraction: float, seed: int, report: Path) -> None:
    """Map a recorded specimen with half of its counts, and judge the map on the other half.

    No phase is known beforehand: they are found on the way.
    """
    if file.is_dir():
        raise ValueError(f"recorded: {file} is a folder; give the path of a spectrum image, a file")
    console = Console()
    settings = load_settings(
        seed=seed, instrument="recorded", recording=file, probe=ProbeSettings(settle_time=OVERHEAD)
    )
    specimen = RecordedSpecimen.load(file, seed=seed)
    with start(settings=settings, instrument=RecordedInstrument(specimen)) as session:
        if session.eds is None:
            raise ValueError(f"{file}: it holds no EDS spectra; give an EDS spectrum image")
        rows, columns = specimen.shape
        dwell = specimen.recorded_dwell / 2
        console.print(f"{rows} x {columns} pixels of {file.name}", highlight=False)
        console.print(f"{dwell:.3g} s a visit, half of what was recorded", highlight=False)
        console.print(
            f"[dim]electrons and times are for {specimen.recorded_dwell:g} s a pixel and {settings.beam.current:g} pA, "
            "nominal where the file does not tell them[/]"
        )
        detectors = [detector for detector in (session.haadf, session.eds) if detector is not None]
        plan = adaptive_map(
            detectors,
            session.probe,
            dwell_time=dwell,
            fraction=fraction,
            seed=seed,
        )
        run = measure(session, plan, console)
    outcomes = recorded_outcomes(specimen, run.summary)
    print_outcomes(console, run, outcomes)
    print_way_back(console, run, settings.data)
    draw_report(
        report,
        run.summary,
        outcomes,
        pixel_size=specimen.pixel_size,
        survey=specimen.survey,
        survey_name=specimen.survey_name,
        conclusion=verdict(outcomes[0], outcomes[1:])[0],
    )
    print_picture(console, report)
