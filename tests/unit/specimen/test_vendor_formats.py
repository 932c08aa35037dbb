"""Recorded spectrum images in vendors' formats; read where the optional reader is installed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky.specimen import RecordedSpecimen

DATA = Path(__file__).parents[3].parent / "shared" / "data"
BRUKER = DATA / "originals" / "P45_the_default_job.bcf"
VELOX = DATA / "originals" / "Test SI 16x16 215 kx.emd"

needs_reader = pytest.mark.skipif(
    importlib.util.find_spec("rsciio") is None, reason='the extra "formats" (rosettasciio) is not installed'
)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public measurements in ../shared/data are absent")
tolerate_reader = pytest.mark.filterwarnings("ignore:::rsciio", "ignore::DeprecationWarning", "ignore::UserWarning")


@tolerate_reader
@needs_reader
@needs_data
@pytest.mark.data
@pytest.mark.parametrize(
    ("vendor", "listed", "survey"),
    [(BRUKER, "eds_si_P45_mineral.npz", "BSE"), (VELOX, "eds_si_velox_16.npz", "HAADF")],
)
def test_a_vendor_file_holds_what_its_coordinate_lists_hold(vendor, listed, survey):
    read, expected = RecordedSpecimen.load(vendor), RecordedSpecimen.load(DATA / listed)
    assert (read.spectrum_image() != expected.spectrum_image()).nnz == 0
    assert read.eds_axis.energies == pytest.approx(expected.eds_axis.energies, abs=1e-6)
    assert read.pixel_size == pytest.approx(expected.pixel_size)
    assert read.survey_name == survey


def signal(shape=(3, 4, 8), units="keV", dtype="u1"):
    axes = [
        {"name": name, "units": "nm", "scale": 2.0, "offset": 0.0, "size": size, "navigate": True}
        for name, size in zip("yx", shape, strict=False)
    ]
    axes.append({"name": "Energy", "units": units, "scale": 0.1, "offset": 0.0, "size": shape[-1], "navigate": False})
    data = np.random.default_rng(0).poisson(2.0, shape).astype(dtype)
    metadata = {"General": {"title": "EDS"}, "Signal": {"signal_type": "EDS_TEM"}}
    return {"data": data, "axes": axes, "metadata": metadata, "original_metadata": {}, "tmp_parameters": {}}


def write_hspy(path, spectrum_image):
    extra = {"package_info": {}, "models": {}, "learning_results": {}, "attributes": {"_lazy": False}}
    importlib.import_module("rsciio.hspy").file_writer(str(path), spectrum_image | extra, show_progressbar=False)


@tolerate_reader
@needs_reader
@pytest.mark.parametrize(("units", "dispersion"), [("keV", 0.1), ("eV", 1e-4)])
def test_an_hspy_file_is_read(tmp_path, units, dispersion):
    stored = signal(units=units)
    write_hspy(tmp_path / "si.hspy", stored)
    read = RecordedSpecimen.load(tmp_path / "si.hspy")
    assert np.array_equal(read.spectrum_image().toarray(), stored["data"].reshape(12, 8))
    assert read.eds_axis.dispersion == pytest.approx(dispersion)
    assert read.pixel_size == 2.0


@tolerate_reader
@needs_reader
def test_spectra_that_are_not_counts_are_refused(tmp_path):
    fractional = signal(dtype="f4")
    fractional["data"] += 0.5
    write_hspy(tmp_path / "fractional.hspy", fractional)
    with pytest.raises(ValueError, match=r"fractional\.hspy: its spectra are not whole counts"):
        RecordedSpecimen.load(tmp_path / "fractional.hspy")
    eels = signal()
    eels["metadata"]["Signal"]["signal_type"] = "EELS"
    write_hspy(tmp_path / "eels.hspy", eels)
    with pytest.raises(ValueError, match=r"eels\.hspy: it holds no EDS spectrum image"):
        RecordedSpecimen.load(tmp_path / "eels.hspy")


@tolerate_reader
@needs_reader
@pytest.mark.parametrize("suffix", [".bcf", ".emd", ".hspy", ".dm3", ".dm4"])
def test_a_broken_vendor_file_is_refused_in_one_line(tmp_path, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(ValueError, match="its reader gave up") as caught:
        RecordedSpecimen.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".bcf", ".emd", ".hspy", ".dm3", ".DM4"])
def test_without_the_reader_the_extra_is_named(tmp_path, monkeypatch, suffix):
    for module in ("rsciio", "rsciio.bruker", "rsciio.emd", "rsciio.hspy", "rsciio.digitalmicrograph"):
        monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / f"map{suffix}"
    path.write_bytes(b"anything")
    with pytest.raises(ModuleNotFoundError, match=r'pip install "daisy-bluesky\[formats\]"'):
        RecordedSpecimen.load(path)
