"""Runs a gate table and prints each row as soon as it is measured."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from time import process_time

import numpy as np
from rich.console import Console
from rich.table import Table

from daisy_bluesky.bench._gate import Gate

Measurement = Callable[[Path], Iterator[Gate]]

TABLES: dict[str, tuple[str, ...]] = {
    "main": ("_virtual_map", "_measured_object", "_ill_spectra", "_recorded_maps", "_loop", "_whole_run"),
    "lbj": ("_lbj_counts", "_lbj_measured", "_lbj_journal", "_lbj_eels"),
    "dosing": (
        "_dosing_decision",
        "_dosing_electrons",
        "_dosing_overhead",
        "_dosing_unknown",
        "_dosing_survey",
        "_dosing_stopping",
    ),
    "sampling": (
        "_sampling_quality",
        "_sampling_reconstruction",
        "_sampling_batches",
        "_sampling_grey",
        "_sampling_stopping",
        "_sampling_speed",
        "_sampling_loop",
    ),
    "eds-slads": ("_eds_slads",),
    "daisy": ("_daisy_flake", "_daisy_alloy", "_daisy_decision"),
    "mfsi": (
        "_mfsi_registration",
        "_mfsi_extremes",
        "_mfsi_shear",
        "_mfsi_correction",
        "_mfsi_scree",
        "_mfsi_motif",
        "_mfsi_damage",
        "_mfsi_eels",
        "_mfsi_fractionation",
    ),
}
WIDTH = 160
MARKS = {True: "[green]met[/]", False: "[bold red]missed[/]", None: ""}


def run_table(name: str, *, data: Path, json_file: Path | None = None, console: Console | None = None) -> list[Gate]:
    """Measure a gate table.

    Parameters
    ----------
    name : str
        Name of the table.
    data : Path
        Folder of public measurements; rows that need it are skipped, and say so, where it is absent.
    json_file : Path, optional
        Also write the table as JSON.
    console : rich.console.Console, optional
        Where to print; the terminal, or 160 columns where there is none, when not given.

    Returns
    -------
    list of Gate

    Raises
    ------
    ValueError
        No table has this name, or the JSON file cannot be written.
    """
    if name not in TABLES:
        raise ValueError(f"no table is named {name!r}; known tables: {', '.join(TABLES)}")
    if json_file is not None and not json_file.resolve().parent.is_dir():
        raise ValueError(f"json: there is no folder {json_file.resolve().parent}; create it first")
    console = console or Console(width=None if sys.stdout.isatty() else WIDTH)
    gates: list[Gate] = []
    for module in TABLES[name]:
        measure: Measurement = import_module(f"daisy_bluesky.bench.{module}").measure
        began = process_time()
        for gate in measure(data):
            gates.append(gate)
            console.print(f"{gate.what}: [bold]{gate.reached}[/] {MARKS[gate.passed]}", highlight=False, soft_wrap=True)
        console.print(f"[dim]{module.strip('_').replace('_', ' ')}: {process_time() - began:.0f} s CPU[/]")
    console.print(_table(name, gates))
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(gate) for gate in gates], indent=1, default=_plain) + "\n")
    return gates


def _plain(number: np.generic) -> object:
    """Return a number or truth value of NumPy as one that JSON knows."""
    return number.item()


def _table(name: str, gates: list[Gate]) -> Table:
    table = Table(title=f"daisy-bluesky bench {name}", show_lines=True)
    for heading in ("what", "reached", "gate", "", "beside it, in the same run"):
        table.add_column(heading)
    for gate in gates:
        table.add_row(gate.what, gate.reached, gate.wanted, MARKS[gate.passed], gate.beside)
    return table
