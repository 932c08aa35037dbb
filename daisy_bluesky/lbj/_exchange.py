"""Spectra from and to files of other formats: NumPy archives, and through the optional rosettasciio those of others."""

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from daisy_bluesky.lbj._archive import read_archive, write_archive
from daisy_bluesky.lbj._exchanged import Spectra, spectra_of

READERS = {
    ".hspy": "rsciio.hspy",
    ".zspy": "rsciio.zspy",
    ".emd": "rsciio.emd",
    ".bcf": "rsciio.bruker",
    ".spx": "rsciio.bruker",
    ".dm3": "rsciio.digitalmicrograph",
    ".dm4": "rsciio.digitalmicrograph",
    ".pts": "rsciio.jeol",
    ".asw": "rsciio.jeol",
    ".eds": "rsciio.jeol",
    ".msa": "rsciio.msa",
}
WRITERS = {".hspy": "rsciio.hspy", ".zspy": "rsciio.zspy"}
SUFFIXES = (".npz", *READERS)

_NEWEST_ZARR = 2  # that .zspy files are read and written with
_LONGEST_REASON = 200
_SIGNAL_TYPES = {"keV": "EDS_TEM", "eV": "EELS"}


def read_spectra(path: Path) -> Spectra:
    """Return the spectra of a file; of several signals, those that are most.

    Raises
    ------
    ValueError
        If its format is not known, it cannot be read, or holds no spectra.
    ModuleNotFoundError
        If its format needs the extra ``formats``.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: unknown format {suffix!r}; use .lbj, {', '.join(SUFFIXES)}")
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        return read_archive(path) if suffix == ".npz" else _from_signals(_plugin(READERS[suffix], suffix), path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def check_target(path: Path) -> None:
    """Raise ValueError where no file of the format that a path tells can be written."""
    if path.suffix.lower() not in (".npz", *WRITERS):
        raise ValueError(f"{path}: cannot write {path.suffix!r}; use .lbj, .npz, {', '.join(WRITERS)}")


def write_spectra(path: Path, spectra: Spectra) -> None:
    """Write spectra to a file that does not exist yet, of a format that can be written.

    Raises
    ------
    ValueError
        If the format cannot hold them.
    ModuleNotFoundError
        If its format needs the extra ``formats``.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        write_archive(path, spectra)
    else:
        plugin, signal = _plugin(WRITERS[suffix], suffix), _signal(spectra)
        _asked(lambda: plugin.file_writer(str(path), signal), f"the writer of {suffix}", suffix)


def _plugin(name: str, suffix: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{suffix} files need an optional package: pip install "daisy-bluesky[formats]"'
        ) from error


def _asked(ask: Callable[[], Any], who: str, suffix: str) -> Any:
    """Return what a plug-in returns; one line of ValueError whatever it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it uses itself
            return ask()
    except Exception as error:
        remedy = "copy the file again"
        if suffix == ".zspy" and int(version("zarr").partition(".")[0]) > _NEWEST_ZARR:
            remedy = 'it needs an older zarr: pip install "zarr<3", or use .hspy'
        reason = " ".join(str(error).split())
        raise ValueError(f"{who} gave up ({type(error).__name__}: {reason[:_LONGEST_REASON]}); {remedy}") from error


def _from_signals(plugin: Any, path: Path) -> Spectra:
    signals = _asked(lambda: plugin.file_reader(str(path)), "its reader", path.suffix.lower())
    spectra = [signal for signal in signals if len(_signal_axes(signal)) == 1 and np.size(signal["data"])]
    if not spectra:
        raise ValueError("it holds no spectra")
    signal = max(spectra, key=lambda each: np.size(each["data"]))
    (energy,) = _signal_axes(signal)
    data = np.moveaxis(np.asarray(signal["data"]), signal["axes"].index(energy), -1)
    metadata: dict[str, Any] = {}
    if "scale" in energy:
        metadata = {"offset": float(energy.get("offset", 0.0)), "dispersion": float(energy["scale"])}
        if isinstance(energy.get("units"), str):
            metadata["unit"] = energy["units"]
    return spectra_of(data, metadata)


def _signal_axes(signal: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [axis for axis in signal["axes"] if not axis.get("navigate", False)]


def _signal(spectra: Spectra) -> dict[str, Any]:
    data = spectra.dense()
    unit = str(spectra.metadata.get("unit", ""))
    navigation = [
        {"name": name, "size": size, "navigate": True, "scale": 1.0, "offset": 0.0, "units": "px"}
        for name, size in zip(("frame", "y", "x")[-(data.ndim - 1) :], data.shape[:-1], strict=False)
    ]
    energy = {
        "name": "Energy" if unit == "keV" else "Energy loss",
        "size": data.shape[-1],
        "navigate": False,
        "scale": float(spectra.metadata.get("dispersion", 1.0)),
        "offset": float(spectra.metadata.get("offset", 0.0)),
        "units": unit,
    }
    title = {"title": "spectra", "original_filename": ""}
    return {
        "data": data,
        "axes": [*navigation, energy],
        "metadata": {"General": title, "Signal": {"signal_type": _SIGNAL_TYPES.get(unit, "")}},
        "original_metadata": {},
        "learning_results": {},
        "attributes": {"_lazy": False, "ragged": False},
        "models": {},
        "tmp_parameters": {},
        "package_info": {"package": "daisy-bluesky", "package_version": ""},
    }
