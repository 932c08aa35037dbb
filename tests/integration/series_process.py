"""A process that takes a series of frames, to be killed.

Usage: series_process.py JOURNAL FRAMES

It says "frame N" after each.
"""

import sys

from bluesky import RunEngine

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import ScanningInstrument
from daisy_bluesky.plans import multiframe_map
from daisy_bluesky.specimen import ScannedSpecimen
from daisy_bluesky.storage import tell_journal_directory


def new_microscope():
    return make_devices(ScanningInstrument(ScannedSpecimen.demo("crystal", (64, 64), seed=5)), current=17.0)


def main(folder, frames):
    engine, microscope = RunEngine({}), new_microscope()
    engine.subscribe(Journal(folder))
    tell_journal_directory(engine, folder)

    def say(name, document):
        if name == "event" and "eds_frame" in document["data"]:
            sys.stdout.write(f"frame {document['data']['frame_number']}\n")
            sys.stdout.flush()

    measuring = [microscope.haadf, microscope.eds]
    plan = multiframe_map(measuring, microscope.probe, pixel_size=0.056, dwell_time=1e-4, frames=int(frames))
    engine(plan, say)


if __name__ == "__main__":
    main(*sys.argv[1:])
