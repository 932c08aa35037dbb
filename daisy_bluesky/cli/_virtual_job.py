"""The main job on the virtual microscope."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.cli._job import Measured, measure, print_outcomes, print_picture, print_way_back
from daisy_bluesky.cli._training import train_apart
from daisy_bluesky.config import ProbeSettings, load_settings
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.report import BreakEven, GroundTruth, MapOutcome, break_even, draw_report, raster_rivals, verdict
from daisy_bluesky.session import start
from daisy_bluesky.specimen import VirtualSpecimen

OVERHEAD = 0.005
"""Settling and read-out of a visit of the demonstration, s."""


def map_virtual(*, fraction: float, counts: float, size: int, seed: int, report: Path) -> None:
    """Map the virtual specimen and set the map beside the truth and beside rasters."""
    console = Console()
    settings = load_settings(shape=(size, size), seed=seed, probe=ProbeSettings(settle_time=OVERHEAD))
    specimen = VirtualSpecimen.demo(settings.shape, seed=seed)
    with console.status("training the classifier on spectra of the phases"):
        trained = train_apart(settings.shape, counts, seed, settings.data / "models")
    with start(settings=settings, instrument=VirtualInstrument(specimen)) as session:
        if session.eds is None or session.haadf is None:
            raise ValueError("the virtual instrument lacks its EDS or HAADF detector")
        dwell = specimen.eds_dwell(counts, settings.beam.current)
        console.print(f"{size} x {size} pixels: {', '.join(specimen.phases)}", highlight=False)
        console.print(f"{dwell:.3g} s a visit at {settings.beam.current:g} pA", highlight=False)
        plan = adaptive_map(
            [session.haadf, session.eds],
            session.probe,
            dwell_time=dwell,
            fraction=fraction,
            classifier=str(trained),
            policy="slads",
            seed=seed,
        )
        run = measure(session, plan, console)
    with console.status("simulating the rasters it has to stand beside"):
        outcomes, even = compare(run, specimen, PhaseClassifier.load(trained))
    print_outcomes(console, run, outcomes, even)
    print_way_back(console, run, settings.data)
    lines = [specimen.element_lines(label) for label in range(1, len(specimen.phases) + 1)]
    draw_report(
        report,
        run.summary,
        outcomes,
        pixel_size=specimen.pixel_size,
        phases=specimen.phases,
        lines=lines,
        truth=GroundTruth(specimen.labels, specimen.ill),
        conclusion=verdict(outcomes[0], outcomes[1:], even)[0],
    )
    print_picture(console, report)


def compare(
    run: Measured, specimen: VirtualSpecimen, classifier: PhaseClassifier
) -> tuple[list[MapOutcome], BreakEven]:
    """Judge a map of a virtual specimen, and the rasters of equal electrons and equal time."""
    summary, truth = run.summary, GroundTruth(specimen.labels, specimen.ill)
    spent = summary.acquisition()

    def spectra(rows: NDArray[np.int64], columns: NDArray[np.int64], dwell: float) -> NDArray[np.unsignedinteger]:
        return specimen.eds_bulk(rows, columns, dwell=dwell, current=spent.current, visit=1)

    own = summary.outcome("adaptive map", truth)
    rivals = raster_rivals(spent, spectra, classifier, truth)
    return [own, *rivals], break_even(own, spent, spectra, classifier, truth)
