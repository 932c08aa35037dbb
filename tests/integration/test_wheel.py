"""What a user installs: the wheel, with all that the package needs at run time."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=170)
    (path,) = folder.glob("daisy_bluesky-*.whl")
    return path


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("daisy_bluesky/")}
    needed = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "daisy_bluesky").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == needed
    assert {"daisy_bluesky/py.typed", "daisy_bluesky/sampling/models/default.npz"} <= packed


def test_nothing_but_the_package_and_its_description_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.split("/")[0] for name in archive.namelist()}
        (scripts,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt")]
        licences = [name for name in archive.namelist() if name.endswith("LICENSE")]
    assert len(folders) == 2
    assert "daisy-bluesky = daisy_bluesky.cli:main" in scripts
    assert licences


def test_the_package_in_the_wheel_finds_its_data(wheel, tmp_path):
    code = "import daisy_bluesky; from daisy_bluesky.sampling import SladsModel; SladsModel.default(); "
    code += "print(daisy_bluesky.__file__)"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
