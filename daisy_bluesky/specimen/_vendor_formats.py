"""Recorded spectrum images in the formats of vendors and hyperspy, through the optional rosettasciio."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._recording import Recording, energy_axis, gather, nanometres

READERS = {
    ".bcf": "rsciio.bruker",
    ".emd": "rsciio.emd",
    ".hspy": "rsciio.hspy",
    ".dm3": "rsciio.digitalmicrograph",
    ".dm4": "rsciio.digitalmicrograph",
}
KILOELECTRONVOLTS = {"keV": 1.0, "eV": 1e-3}
Signal = Mapping[str, Any]


def read_vendor_format(path: Path) -> Recording:
    """Read the EDS spectrum image, and the survey images beside it, from a .bcf, .emd, .hspy, .dm3 or .dm4 file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Recording
        What the file holds.

    Raises
    ------
    ValueError
        If the file cannot be read or holds no EDS counts; the message says what is wrong, without its name.
    ModuleNotFoundError
        If the optional reader is not installed.
    """
    read = _reader(path.suffix.lower())
    try:
        signals = read(str(path))
    except Exception as error:
        raise ValueError(
            f"its reader gave up ({type(error).__name__}); copy the file again or export it anew"
        ) from error
    images = [signal for signal in signals if "EELS" not in _signal_type(signal) and _is_spectrum_image(signal)]
    if not images:
        raise ValueError("it holds no EDS spectrum image (rows, columns, channels); export one, or choose another file")
    return _recording(images[0], signals)


def _reader(suffix: str) -> Callable[[str], Sequence[Signal]]:
    try:
        reader: Callable[[str], Sequence[Signal]] = import_module(READERS[suffix]).file_reader
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'reading {suffix} files needs an optional package: pip install "daisy-bluesky[formats]"'
        ) from error
    return reader


def _recording(signal: Signal, signals: Sequence[Signal]) -> Recording:
    energy = next(axis for axis in signal["axes"] if not axis["navigate"])
    navigation = [axis for axis in signal["axes"] if axis["navigate"]]
    data = np.moveaxis(np.asarray(signal["data"]), signal["axes"].index(energy), -1)
    rows, columns, channels = data.shape
    flat = data.reshape(rows * columns, channels)
    pixel, channel = np.nonzero(flat)
    unit = KILOELECTRONVOLTS[energy["units"]]
    sample = signal.get("metadata", {}).get("Sample", {})
    return Recording(
        shape=(rows, columns),
        axis=energy_axis(energy["offset"] * unit, energy["scale"] * unit, channels),
        counts=gather((rows, columns, channels), pixel, channel, _whole(flat[pixel, channel])),
        images={
            str(other.get("metadata", {}).get("General", {}).get("title", "")): np.asarray(other["data"], np.float64)
            for other in signals
            if np.shape(other["data"]) == (rows, columns)
        },
        pixel_size=nanometres(float(navigation[-1]["scale"]), str(navigation[-1].get("units"))),
        elements=tuple(str(element) for element in sample.get("elements", ())),
    )


def _is_spectrum_image(signal: Signal) -> bool:
    energies = [axis for axis in signal["axes"] if not axis.get("navigate", False)]
    linear = len(energies) == 1 and "scale" in energies[0] and energies[0].get("units") in KILOELECTRONVOLTS
    return linear and np.ndim(signal["data"]) == 3


def _signal_type(signal: Signal) -> str:
    return str(signal.get("metadata", {}).get("Signal", {}).get("signal_type", ""))


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    whole: NDArray[np.int64] = np.rint(values).astype(np.int64)
    if not np.array_equal(whole, values):
        raise ValueError("its spectra are not whole counts, so a shorter dwell cannot be drawn from them")
    return whole
