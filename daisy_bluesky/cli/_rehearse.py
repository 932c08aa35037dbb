"""``daisy-bluesky rehearse``: what a map will be worth, before its first electron."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from daisy_bluesky.cli._arguments import check_json, check_picture

UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
QUANTITY = re.compile(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([a-zµμ]*)\s*")


def rehearse(
    image: Annotated[
        Path, typer.Argument(help="Survey image or phase map of the field: .npy, .npz, .png, .tif.", metavar="IMAGE")
    ],
    spectra: Annotated[
        Path | None,
        typer.Option(help="A classifier, or an .npz of spectra and labels. The virtual specimen's when omitted."),
    ] = None,
    phases: Annotated[int | None, typer.Option(min=2, max=16, help="How many phases the image shows.")] = None,
    rate: Annotated[float | None, typer.Option(help="Mean counts a second of dwell.")] = None,
    current: Annotated[float | None, typer.Option(help="Beam current, pA. As configured when omitted.")] = None,
    settling: Annotated[str | None, typer.Option(help="Settling of the probe, 1ms. As configured if omitted.")] = None,
    read_out: Annotated[str, typer.Option(help="Read-out of the detectors, 0.2ms.")] = "0",
    minimum_dwell: Annotated[str, typer.Option(help="Shortest dwell time, 50us.")] = "0.1ms",
    visit_dwell: Annotated[
        str | None, typer.Option(help="Dwell time of one sparse visit, 15ms. The best of three when omitted.")
    ] = None,
    wanted: Annotated[float, typer.Option(help="Total distortion that is asked for.")] = 0.01,
    scarce: Annotated[Literal["seconds", "electrons"], typer.Option(help="What the map shall save.")] = "seconds",
    seed: Annotated[int, typer.Option(min=0, help="Seed of counts and policies.")] = 0,
    report: Annotated[Path, typer.Option(help="Where to write the picture, a PNG.")] = Path("rehearsal.png"),
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the forecasts to this file.")] = None,
) -> None:
    """Foretell how good a map will be for how many electrons and seconds: raster, sparse visits, allocated dose."""
    check_picture(report)
    check_json(json_file)
    told = {"settling": settling, "read_out": read_out, "minimum_dwell": minimum_dwell, "visit_dwell": visit_dwell}
    times = {name: seconds(name.replace("_", "-"), text) for name, text in told.items() if text is not None}
    figures = {"spectra": spectra, "phases": phases, "rate": rate, "current": current, "wanted": wanted, "seed": seed}
    _foretell(image, figures, times, scarce, report, json_file)


def _foretell(
    image: Path,
    figures: dict[str, Any],
    times: dict[str, float],
    scarce: Literal["seconds", "electrons"],
    report: Path,
    json_file: Path | None,
) -> None:
    from rich.console import Console

    from daisy_bluesky.config import load_settings
    from daisy_bluesky.report import draw_rehearsal, print_rehearsal, recommended_plan, rehearse_survey
    from daisy_bluesky.sampling import Survey, VisitCost

    settings, console = load_settings(), Console()
    visit_dwell = times.pop("visit_dwell", None)
    cost = VisitCost(
        settling=times.get("settling", settings.probe.settle_time),
        read_out=times["read_out"],
        minimum_dwell=times["minimum_dwell"],
        scarce=scarce,
    )
    if figures["current"] is None:
        figures["current"] = settings.beam.current
    survey = Survey.load(image).image
    with console.status("rehearsing"):
        rehearsal, phase_map = rehearse_survey(survey, cost=cost, visit_dwell=visit_dwell, **figures)
    classifier = "CLASSIFIER.npz" if figures["spectra"] is None else str(figures["spectra"])
    print_rehearsal(console, rehearsal, figures["current"], classifier)
    plan = recommended_plan(rehearsal, classifier)
    draw_rehearsal(report, rehearsal, phase_map, current=figures["current"], survey=survey, conclusion=plan or "")
    console.print(f"{report} is the picture", highlight=False, markup=False, soft_wrap=True)
    if json_file is not None:
        json_file.write_text(json.dumps(asdict(rehearsal) | {"plan": plan}, indent=1) + "\n")


def seconds(name: str, text: str) -> float:
    """Return a time such as ``1ms``, ``50 us`` or ``0.01``, s.

    Raises
    ------
    ValueError
        It is none.
    """
    match = QUANTITY.fullmatch(text.strip().removeprefix("-"))
    if match is not None and text.strip().startswith("-"):
        raise ValueError(f"{name}: {text!r} is negative; give a time from 0 up")
    try:
        if match is not None:
            return float(match[1]) * UNITS[match[2]]
    except (ValueError, KeyError):
        match = None
    raise ValueError(f"{name}: {text!r} is no time; give one like 1ms, 50us or 0.01")
