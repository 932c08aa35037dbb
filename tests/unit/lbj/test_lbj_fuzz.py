"""A shorter form of the seeded fuzz: mutated files are refused or read right, within bounds of memory and time."""

import importlib.util
import multiprocessing
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "fuzz_lbj.py"
FILES = 1500


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_lbj", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(script, numbers, seed, said):
    spec = importlib.util.spec_from_file_location("fuzz_lbj", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said.send(module.work((numbers, seed, True)))


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_files_are_refused_or_read_right(fuzz, seed):
    receiver, sender = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=run, args=(SCRIPT, range(FILES), seed, sender))
    process.start()
    sender.close()
    try:
        wrong, kibibytes = receiver.recv()  # EOFError where the process crashed
    finally:
        process.join()
    assert process.exitcode == 0
    assert wrong == []
    assert kibibytes < fuzz.MEMORY / 2**10
