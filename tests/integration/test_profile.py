"""What a user finds who starts IPython with the profile."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROFILE = Path(__file__).parents[2] / "profile_collection"
SCRIPT = """
told = {}
(uid,) = RE(adaptive_map([haadf, eds], probe, shape=(32, 32), fraction=0.1))
told["latest"] = catalog[-1].start["uid"] == uid
told["points"] = len(catalog[-1]["primary"].read()["eds_spectrum"])
%mov probe.row 5 probe.column 7
told["position"] = probe.position
told["stock"] = len(RE(bp.count([haadf], num=3)))
told["frame"] = len(RE(bp.count([FrameScan([haadf, eds], probe, shape=(8, 8), dwell_time=1e-4)])))
steering = Steering()
(uid,) = RE(adaptive_map([eds], probe, shape=(16, 16), objectives={"Ti Ka": 1.0}, fraction=0.1, steering=steering))
told["weights"] = steering.weights
told["names"] = [name for name in "beam probe haadf eds eels daisy bp bps bpp raster_map sparse_map rehearse".split()
                 if name not in globals()]
told["blanked"] = beam.blanked.get()
print("told", told)
"""


SERIES = """
watching = FrameSum()
scree = ScreeWatcher(watching)
(uid,) = RE(multiframe_map([haadf, eds], probe, pixel_size=0.05, dwell_time=20e-6, frames=4, frame_sum=watching), scree)
told = {"frames": len(catalog[-1]["primary"].read(["frame_number"])["frame_number"]), "summed": watching.frames}
told["ranks"] = list(scree.ranks)
told["image"] = watching.image().shape
print("told", told)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """IPython, with the profile, has run the script cell by cell and ended."""
    return ipython(tmp_path_factory.mktemp("profile"), SCRIPT.replace("\n                 ", " "))


def ipython(folder, script, **variables):
    profile = folder / "profile"
    shutil.copytree(PROFILE / "startup", profile / "startup")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAISY_")}
    return subprocess.run(
        [sys.executable, "-m", "IPython", f"--profile-dir={profile}", "--colors=nocolor", "--simple-prompt"],
        input=script,
        cwd=folder,
        env={**inherited, "IPYTHONDIR": str(folder), "COLUMNS": "100", **variables},
        capture_output=True,
        text=True,
        timeout=170,
    )


def test_engine_devices_plans_catalog_and_magics_are_there(finished):
    (line,) = [line for line in finished.stdout.splitlines() if "told {" in line]
    told = eval(line.partition("told ")[2])
    assert told == {
        "latest": True,
        "points": 102,
        "position": (5.0, 7.0),
        "stock": 1,
        "frame": 1,
        "weights": {"Ti Ka": 1.0},
        "names": [],
        "blanked": True,
    }


def test_nothing_is_complained_of(finished):
    said = finished.stdout + finished.stderr
    assert finished.returncode == 0
    assert not [word for word in ("Traceback", "Error", "Warning", "Tiled version") if word in said]
    assert "102/102 points" in finished.stdout


def test_a_series_of_frames_is_one_line(tmp_path):
    done = ipython(tmp_path, SERIES, DAISY_SPECIMEN="crystal", DAISY_SHAPE="[40, 40]")
    (line,) = [line for line in done.stdout.splitlines() if "told {" in line]
    told = eval(line.partition("told ")[2])
    assert told == {"frames": 4, "summed": [0, 1, 2, 3], "ranks": [1, 4], "image": (44, 44)}
    assert "Region 1: 4 frames of 44 x 44 pixels of 0.05 nm" in done.stdout
    assert "4/4 frames" in done.stdout
    assert not [word for word in ("Traceback", "Error", "Warning") if word in done.stdout + done.stderr]
