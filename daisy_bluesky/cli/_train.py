"""``daisy-bluesky train``: models learned from images."""

from pathlib import Path
from typing import Annotated

import typer

MODEL = Path("sampling.npz")

train = typer.Typer(help="Train a model.")


@train.callback(invoke_without_command=True)
def describe(context: typer.Context) -> None:
    """Train a model."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@train.command()
def sampling(
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Phase maps or grey images: .npy, .npz, .png, .tif. Generated shapes when omitted."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File of the model, .npz.", show_default=f"{MODEL}")] = None,
    levels: Annotated[int, typer.Option(min=2, max=255, help="How many levels a grey image is cut into.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
) -> None:
    """Train where to measure next, for maps like these images; three to four minutes of one core.

    Without images it makes the model that comes with the package.
    """
    from rich.console import Console

    from daisy_bluesky.sampling import read_label_maps, train, train_default

    file = _checked(output)
    names = ", ".join(path.name for path in images or ())
    maps = read_label_maps(images or (), levels)
    with Console().status("training") as line:

        def tell(doing: str) -> None:
            line.update(f"training: {doing}")

        model = train(maps, seed=seed, description=names, tell=tell) if maps else train_default.make_default(tell)
    model.save(file)
    typer.echo(f"{file}: {model.description}")


def _checked(output: Path | None) -> Path:
    """Return the file of the model; one that nobody has named is not written over."""
    if output is None:
        if MODEL.exists():
            raise ValueError(f"output: {MODEL} is there already; name a file with --output")
        return MODEL
    if output.is_dir():
        raise ValueError(f"output: {output} is a folder; name a file in it")
    if not output.resolve().parent.is_dir():
        raise ValueError(f"output: there is no folder {output.resolve().parent}; create it first")
    return output
