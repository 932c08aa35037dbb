import json
import sys
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from daisy_bluesky.bench import Gate, _table, run_table

GATES = [
    Gate("a quantity that is good", "0.1", "<= 0.2", True, "the alternative 0.3", {"value": 0.1}),
    Gate("a quantity that is bad", "0.5", "<= 0.2", False),
    Gate("a quantity nobody asked for", "7"),
]


@pytest.fixture
def made_up(monkeypatch):
    """A table of two measurements, of which the first gives two rows."""
    for name, gates in {"_first": GATES[:2], "_second": GATES[2:]}.items():
        monkeypatch.setitem(
            sys.modules, f"daisy_bluesky.bench.{name}", SimpleNamespace(measure=lambda _data, gates=gates: iter(gates))
        )
    monkeypatch.setitem(_table.TABLES, "made-up", ("_first", "_second"))
    return "made-up"


@pytest.fixture
def console():
    return Console(file=StringIO(), width=200)


def test_every_row_is_printed_as_it_is_measured_and_once_more_in_the_table(made_up, console, tmp_path):
    assert run_table(made_up, data=tmp_path, console=console) == GATES
    printed = console.file.getvalue()
    for gate in GATES:
        assert printed.count(gate.what) == 2
    assert printed.count("met") == printed.count("missed") == 2
    assert "the alternative 0.3" in printed


def test_the_table_as_data_holds_what_was_printed(made_up, console, tmp_path):
    file = tmp_path / "table.json"
    run_table(made_up, data=tmp_path, json_file=file, console=console)
    rows = json.loads(file.read_text())
    assert [(row["what"], row["passed"]) for row in rows] == [(gate.what, gate.passed) for gate in GATES]
    assert rows[0]["figures"] == {"value": 0.1}


def test_numbers_of_numpy_are_stored_as_plain_ones(monkeypatch, console, tmp_path):
    gates = [Gate("a ratio", "2", passed=np.float64(2.0) > 1, figures={"ratio": np.float32(2.0)})]
    monkeypatch.setitem(sys.modules, "daisy_bluesky.bench._numpy", SimpleNamespace(measure=lambda _data: iter(gates)))
    monkeypatch.setitem(_table.TABLES, "numpy", ("_numpy",))
    file = tmp_path / "table.json"
    run_table("numpy", data=tmp_path, json_file=file, console=console)
    (row,) = json.loads(file.read_text())
    assert (row["passed"], row["figures"]) == (True, {"ratio": 2.0})


def test_an_unknown_table_is_refused_with_the_names_of_those_there_are(tmp_path):
    with pytest.raises(ValueError, match="no table is named 'mian'; known tables: main"):
        run_table("mian", data=tmp_path)


def test_a_folder_that_is_missing_is_refused_before_anything_is_measured(made_up, console, tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        run_table(made_up, data=tmp_path, json_file=tmp_path / "nowhere" / "table.json", console=console)
    assert console.file.getvalue() == ""


def test_rows_that_need_measurements_say_so_where_there_are_none(monkeypatch, console, tmp_path):
    monkeypatch.setitem(_table.TABLES, "recorded", ("_measured_object", "_recorded_maps"))
    gates = run_table("recorded", data=tmp_path, console=console)
    assert len(gates) == 4
    assert all(gate.reached.startswith("skipped") and gate.passed is None for gate in gates)


def test_every_measurement_of_every_table_exists():
    for modules in _table.TABLES.values():
        for module in modules:
            __import__(f"daisy_bluesky.bench.{module}")
            assert callable(sys.modules[f"daisy_bluesky.bench.{module}"].measure)
