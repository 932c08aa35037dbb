"""``daisy-bluesky mfsi``: a series of fast frames, registered, summed and mapped."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from daisy_bluesky.cli._amounts import number_of_bytes, numbers


def mfsi(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="A stored run (its folder, its uid, or -1 for the latest), or files: images .npy .npz .tif .png, "
            "spectra .lbj, recorded spectrum images.",
            metavar="RUN_OR_FILES...",
        ),
    ],
    line: Annotated[
        list[str] | None,
        typer.Option(
            help='Line or edge to map, "Ag La" or "Ti L3"; "O K@505,528" fits the background of an edge between these '
            "energies, eV. Again for more; the strongest lines if omitted."
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder to write to; made if it is not there.")] = Path("mfsi"),
    upsample: Annotated[int, typer.Option(min=1, max=8, help="Output pixels per pixel along each axis.")] = 1,
    area: Annotated[
        Literal["frame", "common", "full"], typer.Option(help="Field: of one frame, common to all, or seen by any.")
    ] = "frame",
    assignment: Annotated[
        Literal["dithered", "nearest", "bilinear"],
        typer.Option(help="How photons go to output pixels; dithered keeps Poisson statistics."),
    ] = "dithered",
    rigid: Annotated[bool, typer.Option("--rigid", help="Move whole frames only.")] = False,
    motif: Annotated[
        str | None,
        typer.Option(help='Fold repeats: "found", or ROW,COLUMN,SIZE (or ROWS,COLUMNS of it), px of a frame.'),
    ] = None,
    energy: Annotated[
        str | None, typer.Option(help='Align energy losses on "zero-loss", or on what lies in LOW,HIGH eV.')
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(help="OFFSET,DISPERSION of the spectra (keV of X-rays, eV of losses) if files lack it."),
    ] = None,
    noise_gain: Annotated[
        float | None, typer.Option(help="Variance over mean of energy-loss spectra. Estimated if omitted.")
    ] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Distance between pixels, nm, where files lack it.")] = None,
    dose: Annotated[float | None, typer.Option(help="Dose of a frame, e-/A^2, where files lack it.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Frames worked on at once.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="dask: synchronous, threads, processes, or a cluster's address tcp://HOST:PORT.")
    ] = None,
    memory_limit: Annotated[str, typer.Option(help="Most memory the sums may take, 4GB.")] = "8GB",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the dithering.")] = 0,
    sums: Annotated[bool, typer.Option(help="Write the summed spectrum images, .lbj.")] = True,
    information: Annotated[bool, typer.Option(help="Follow the information content with the dose.")] = True,
) -> None:
    """Register the frames of a series, sum and map their spectra, fold repeats, look for damage; draw and store it."""
    from daisy_bluesky.cli._series_job import Asked, process

    process(
        Asked(
            sources=sources,
            lines=line or [],
            output=output,
            axis=None if axis is None else numbers("axis", axis, 2),
            pixel_size=pixel_size,
            dose=dose,
            workers=workers,
            scheduler=scheduler,
            sums=sums,
        ),
        upsample=upsample,
        area=area,
        assignment=assignment,
        rigid=rigid,
        motif=motif,
        energy=energy,
        noise_gain=noise_gain,
        memory_limit=number_of_bytes("memory-limit", memory_limit),
        seed=seed,
        information=information,
    )
