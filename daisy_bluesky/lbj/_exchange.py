"""Spectra from and to files of other formats: NumPy archives, and through the optional rosettasciio those of others."""

import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from daisy_bluesky.lbj._archive import read_archive, write_archive
from daisy_bluesky.lbj._exchanged import Spectra
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._signals import signal_of, spectra_of_signals

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
        spectra = _read(path, suffix)
        Header.of(spectra.shape, spectra.channels, spectra.dtype, spectra.metadata)  # refuses what no journal can hold
        return spectra
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _read(path: Path, suffix: str) -> Spectra:
    if suffix == ".npz":
        return read_archive(path)
    plugin = _plugin(READERS[suffix], suffix)
    return spectra_of_signals(_asked(lambda: plugin.file_reader(str(path)), "its reader", path, "copy the file again"))


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
        plugin, signal = _plugin(WRITERS[suffix], suffix), signal_of(spectra)
        _asked(lambda: plugin.file_writer(str(path), signal), f"the writer of {suffix}", path, "is the disk full?")


def _plugin(name: str, suffix: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{suffix} files need an optional package: pip install "daisy-bluesky[formats]"'
        ) from error


def _asked(ask: Callable[[], Any], who: str, path: Path, remedy: str) -> Any:
    """Return what a plug-in returns; one line of ValueError whatever it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it uses itself
            return ask()
    except Exception as error:
        if path.suffix.lower() == ".zspy" and int(version("zarr").partition(".")[0]) > _NEWEST_ZARR:
            remedy = 'it needs an older zarr: pip install "zarr<3", or use .hspy'
        reason = " ".join(str(error).replace(str(path), path.name).split())
        raise ValueError(f"{who} gave up ({type(error).__name__}: {reason[:_LONGEST_REASON]}); {remedy}") from error
