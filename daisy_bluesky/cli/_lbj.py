"""``daisy-bluesky lbj``: what a listed-bin-journal is, whether it is whole, and how to make one."""

from pathlib import Path
from typing import Annotated

import typer

application = typer.Typer(name="lbj", help="Look into, check, repair and convert LBJ files.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="An LBJ file.")]


@application.command()
def info(file: File) -> None:
    """Say what a file holds, what it promises of the values, and how small it is."""
    from daisy_bluesky.lbj import summary

    found = summary(file)
    header = found.header
    state = "closed" if found.is_closed else "open: being written, or its writer died"
    lines = {
        "items": f"{found.rows} of {header.item_shape} {header.dtype}",
        "guarantee": str(header.guarantee),
        "bytes": f"{found.nbytes:,}, {found.ratio:.4g} times smaller than {found.dense_bytes:,} as arrays",
        "state": f"{state}{f', {found.torn_bytes} bytes torn' if found.torn_bytes else ''}",
        "references": "dark and gain, applied when read" if header.references else "none",
        **{str(name): str(value) for name, value in header.metadata.items()},
    }
    for name, text in lines.items():
        typer.echo(f"{name:12} {text}")


@application.command()
def verify(file: File) -> None:
    """Compare every checksum and decode every item; exit code 2 where something is wrong."""
    from daisy_bluesky.lbj import verify

    faults = verify(file)
    for fault in faults:
        typer.echo(f"{file}: {fault}", err=True)
    if faults:
        raise typer.Exit(2)
    typer.echo(f"{file}: whole")


@application.command()
def repair(file: File, target: Annotated[Path, typer.Argument(help="The new file.")]) -> None:
    """Write everything that is whole to a new file, and say what is lost; exit code 2 where nothing is whole."""
    from daisy_bluesky.lbj import repair

    repaired = repair(file, target)
    for fault in repaired.lost:
        typer.echo(f"{file}: lost, {fault}", err=True)
    if repaired.lost and not repaired.rows:
        typer.echo(f"{target}: not written, as no item of {file} is whole", err=True)
        raise typer.Exit(2)
    typer.echo(f"{target}: {repaired.rows} items{'; not all could be saved' if repaired.lost else ''}")


@application.command()
def convert(
    source: Annotated[
        Path, typer.Argument(help=".lbj, .npz, .hspy, .zspy, .emd, .bcf, .spx, .dm3, .dm4, .pts, .asw, .eds or .msa.")
    ],
    target: Annotated[Path, typer.Argument(help="The new file: .lbj, .npz, .hspy or .zspy.")],
    sigma: Annotated[
        float | None, typer.Option(help="Store spectra in steps of this many sigma of their noise, unbiased.")
    ] = None,
    blocks: Annotated[
        str | None, typer.Option(help="Lossy: down-sample blocks of channels, such as 0:16,420:1,520:4.")
    ] = None,
) -> None:
    """Convert a file; bit by bit, unless told otherwise."""
    from daisy_bluesky.lbj import convert, summary

    convert(source, target, sigma=sigma, blocks=None if blocks is None else _blocks(blocks))
    size = sum(part.stat().st_size for part in ([target] if target.is_file() else target.rglob("*")) if part.is_file())
    promise = f", {summary(target).header.guarantee}" if target.suffix.lower() == ".lbj" else ""
    typer.echo(f"{target}: {size:,} bytes{promise}")
    if source.suffix.lower() == ".lbj" and not promise and summary(source).header.guarantee.kind != "exact":
        typer.echo(f"{source} is not exact, and {target} does not say so: {summary(source).header.guarantee}")


def _blocks(text: str) -> list[tuple[int, int]]:
    try:
        pairs = [tuple(map(int, part.split(":"))) for part in text.split(",")]
        return [(start, factor) for start, factor in pairs]
    except ValueError:
        raise ValueError(f"blocks: {text!r} is no list of CHANNEL:DOWN-SAMPLING, such as 0:16,420:1") from None
