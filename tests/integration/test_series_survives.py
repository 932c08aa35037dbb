"""A process that dies in mid-series, for real."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
from series_process import new_microscope

from daisy_bluesky.callbacks import FrameSum, Journal, stored_registrations
from daisy_bluesky.plans import multiframe_map
from daisy_bluesky.storage import recover, replay, tell_journal_directory

SCRIPT = Path(__file__).parent / "series_process.py"
FRAMES = 400


def killed_after(folder, frame):
    command = [sys.executable, str(SCRIPT), str(folder), str(FRAMES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith(f"frame {frame}"):
                process.send_signal(signal.SIGKILL)
        process.wait(30)


def frames_of(folder):
    return [doc["data"] for name, doc in replay(folder) if name == "event" and "eds_frame" in doc["data"]]


def test_a_killed_series_goes_on_after_its_last_whole_frame(new_engine, tmp_path):
    folder = tmp_path / "journal"
    killed_after(folder, 4)
    (uid,) = recover(folder)
    before = frames_of(folder / uid)
    assert 5 <= len(before) < FRAMES
    engine, microscope, watching = new_engine(), new_microscope(), FrameSum()
    engine.subscribe(Journal(folder))
    tell_journal_directory(engine, folder)
    measuring, wanted = [microscope.haadf, microscope.eds], len(before) + 3
    plan = multiframe_map(measuring, microscope.probe, continue_from=uid[:8], frames=wanted, frame_sum=watching)
    (later,) = engine(plan)
    after = frames_of(folder / later)
    assert [data["frame_number"] for data in before + after] == list(range(wanted))
    assert not np.array_equal(after[0]["haadf_image"], before[0]["haadf_image"])
    charges = sum(data["frame_charge"] for data in before + after)
    np.testing.assert_allclose(microscope.beam.charge, charges, rtol=1e-9)
    assert watching.frames == list(range(wanted))
    registration = stored_registrations([replay(folder / uid), replay(folder / later)])[0]
    np.testing.assert_array_equal(registration.displacement(1), watching.registration().displacement(1))
