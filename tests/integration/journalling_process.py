"""A process that acquires with a RunEngine and a Journal, to be watched and killed.

Usage: journalling_process.py DIRECTORY EVENTS [LARGEST_FILE]

It says "saved N" after each event that the RunEngine went on from, and, where a plan fails, "failed: ..." in one line.
"""

import resource
import sys

import numpy as np
from bluesky import Msg, RunEngine

from daisy_bluesky.callbacks import Journal

CHANNELS = 64


def spectrum(seq_num):
    return np.random.default_rng(seq_num).poisson(3.0, CHANNELS).astype(np.uint32)


class Spectrometer:
    name = "spectrometer"
    parent = None
    seq_num = 0

    def describe(self):
        key = {"dtype": "array", "shape": [CHANNELS], "dtype_numpy": "<u4", "source": "test"}
        return {"spectrum": key, "number": {"dtype": "integer", "shape": [], "source": "test"}}

    def read(self):
        self.seq_num += 1
        reading = {"spectrum": spectrum(self.seq_num), "number": self.seq_num}
        return {key: {"value": value, "timestamp": 1.0} for key, value in reading.items()}

    def describe_configuration(self):
        return {}

    def read_configuration(self):
        return {}


def acquire(events, after=lambda number: None):
    detector = Spectrometer()
    yield Msg("open_run")
    for number in range(1, events + 1):
        yield Msg("create", None, name="primary")
        yield Msg("read", detector)
        yield Msg("save")
        after(number)
    yield Msg("close_run")


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(directory, events, largest_file=None):
    RE = RunEngine({})
    journal = Journal(directory)
    RE.subscribe(journal)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), int(largest_file)))
    try:
        RE(acquire(int(events), lambda number: say(f"saved {number}")))
    except OSError as error:
        say(f"failed: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
