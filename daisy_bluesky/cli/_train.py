"""``daisy-bluesky train``: models learned from images."""

from pathlib import Path
from typing import Annotated

import typer

train = typer.Typer(help="Train a model.")


@train.callback(invoke_without_command=True)
def describe(context: typer.Context) -> None:
    """Train a model."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@train.command()
def sampling(
    output: Annotated[Path, typer.Option(help="File of the model, .npz.")],
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Phase maps or grey images: .npy, .npz, .png, .tif. Generated shapes when omitted."),
    ] = None,
    levels: Annotated[int, typer.Option(min=2, max=255, help="How many levels a grey image is cut into.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
) -> None:
    """Train where to measure next, for maps like these images; a minute or two.

    Without images it makes the model that comes with the package.
    """
    from daisy_bluesky.sampling import read_label_maps, train, train_default

    if output.is_dir():
        raise ValueError(f"output: {output} is a folder; name a file in it")
    if not output.resolve().parent.is_dir():
        raise ValueError(f"output: there is no folder {output.resolve().parent}; create it first")
    if images:
        names = ", ".join(path.name for path in images)
        model = train(read_label_maps(images, levels), seed=seed, description=names)
    else:
        model = train_default.make_default()
    model.save(output)
    typer.echo(f"{output}: {model.description}")
