"""``daisy-bluesky bench``: the gate tables, as printed and as data."""

from pathlib import Path
from typing import Annotated

import typer


def bench(
    name: Annotated[
        str, typer.Argument(help="Which table: main, sampling, dosing, eds-slads, daisy, lbj, mfsi.")
    ] = "main",
    json: Annotated[Path | None, typer.Option(help="Also write the table as JSON to this file.")] = None,
    data: Annotated[
        Path, typer.Option(help="Folder of public measurements; rows that need it are skipped without.")
    ] = Path("../shared/data"),
) -> None:
    """Measure what is claimed, beside the best alternative, and print the gate table."""
    from daisy_bluesky.bench import run_table

    run_table(name, data=data, json_file=json)
