"""``daisy-bluesky train``: models learned from images."""

from pathlib import Path
from typing import Annotated

import typer

train = typer.Typer(help="Train a model.", no_args_is_help=True)


@train.callback()
def describe() -> None:
    """Train a model."""


@train.command()
def sampling(
    output: Annotated[Path, typer.Option(help="File of the model, .npz.")],
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Phase maps or grey images: .npy, .npz, .png, .tif. Generated shapes when omitted."),
    ] = None,
    levels: Annotated[int, typer.Option(help="How many levels a grey image is cut into.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
) -> None:
    """Train where to measure next, for maps like these images; a minute or two.

    Without images it makes the model that comes with the package.
    """
    from daisy_bluesky.sampling import read_label_maps, train, train_default

    if not output.resolve().parent.is_dir():
        raise ValueError(f"output: there is no folder {output.resolve().parent}; create it first")
    if images:
        names = ", ".join(path.name for path in images)
        model = train(read_label_maps(images, levels), seed=seed, description=names)
    else:
        model = train_default.make_default()
    model.save(output)
    typer.echo(f"{output}: {model.description}")
