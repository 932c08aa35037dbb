"""``daisy-bluesky demo``: the whole job on a virtual or a recorded specimen."""

from pathlib import Path
from typing import Annotated

import typer

from daisy_bluesky.cli._arguments import check_arguments, check_recorded

COUNTS, SIZE = 7500.0, 256


def demo(
    recorded: Annotated[
        Path | None,
        typer.Option(help="A recorded spectrum image that plays the specimen, in place of the virtual one."),
    ] = None,
    fraction: Annotated[float, typer.Option(help="Largest fraction of the pixels to measure.")] = 0.2,
    counts: Annotated[
        float | None,
        typer.Option(help="Mean counts of a spectrum of the virtual specimen.", show_default=f"{COUNTS:g}"),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=16, max=4096, help="Rows and columns of the virtual specimen.", show_default=f"{SIZE}"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of specimen, noise and start pattern.")] = 0,
    report: Annotated[Path, typer.Option(help="Where to write the picture, a PNG.")] = Path("report.png"),
) -> None:
    """Map a specimen adaptively, store the run, and set the map beside the best fast rasters."""
    if recorded is not None:
        check_recorded(size, counts)
    counts, size = COUNTS if counts is None else counts, SIZE if size is None else size
    check_arguments(fraction, counts, report)
    if recorded is not None:
        from daisy_bluesky.cli._recorded_job import map_recorded

        map_recorded(recorded, fraction=fraction, seed=seed, report=report)
    else:
        from daisy_bluesky.cli._virtual_job import map_virtual

        map_virtual(fraction=fraction, counts=counts, size=size, seed=seed, report=report)
