"""Spectra as the signals of rosettasciio: data, calibrated axes, and what kind of signal they are."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from daisy_bluesky.lbj._exchanged import Spectra, spectra_of

_TYPES = {"keV": "EDS_TEM", "eV": "EELS"}
_UNCALIBRATED_UNITS = ("", "px", "<undefined>")
_NAVIGATION = ("frame", "y", "x")


def spectra_of_signals(signals: Sequence[Mapping[str, Any]]) -> Spectra:
    """Return the spectra among the signals of a file; of several, those that are most.

    Raises
    ------
    ValueError
        If there are none.
    """
    spectra = [signal for signal in signals if len(_signal_axes(signal)) == 1 and np.size(signal["data"])]
    if not spectra:
        raise ValueError("it holds no spectra")
    signal = max(spectra, key=lambda each: np.size(each["data"]))
    (energy,) = _signal_axes(signal)
    data = np.moveaxis(np.asarray(signal["data"]), signal["axes"].index(energy), -1)
    metadata: dict[str, Any] = {}
    calibration = _calibration(energy)
    if calibration:
        metadata = {"offset": calibration["offset"], "dispersion": calibration["scale"]}
        metadata.update({"unit": calibration["unit"]} if "unit" in calibration else {})
    kind = signal.get("metadata", {}).get("Signal", {}).get("signal_type")
    if isinstance(kind, str) and kind:
        metadata["signal_type"] = kind
    axes = [_calibration(axis) for axis in signal["axes"] if axis is not energy]
    if any(axes):
        metadata["axes"] = axes
    return spectra_of(data, metadata)


def signal_of(spectra: Spectra) -> dict[str, Any]:
    """Return the signal that a plug-in of rosettasciio writes."""
    data, metadata = spectra.dense(), spectra.metadata
    unit = str(metadata.get("unit", ""))
    kind = str(metadata.get("signal_type", _TYPES.get(unit, "")))
    energy = {
        "name": "Energy" if kind.startswith("EDS") else "Energy loss" if kind == "EELS" else "Channel",
        "size": data.shape[-1],
        "navigate": False,
        "scale": _number(metadata.get("dispersion"), 1.0),
        "offset": _number(metadata.get("offset"), 0.0),
        "units": unit,
    }
    return {
        "data": data,
        "axes": [*_navigation(metadata.get("axes"), data.shape[:-1]), energy],
        "metadata": {"General": {"title": "spectra", "original_filename": ""}, "Signal": {"signal_type": kind}},
        "original_metadata": {},
        "learning_results": {},
        "attributes": {"_lazy": False, "ragged": False},
        "models": {},
        "tmp_parameters": {},
        "package_info": {"package": "daisy-bluesky", "package_version": ""},
    }


def _signal_axes(signal: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [axis for axis in signal["axes"] if not axis.get("navigate", False)]


def _calibration(axis: Mapping[str, Any]) -> dict[str, Any]:
    """Return name, scale, offset and unit of an axis; nothing where it only counts."""
    scale, offset, unit = axis.get("scale"), axis.get("offset", 0.0), axis.get("units")
    if scale is None or not (isfinite(scale) and isfinite(offset)):
        return {}
    named = {"unit": unit} if isinstance(unit, str) and unit not in _UNCALIBRATED_UNITS else {}
    if not named and (scale, offset) == (1, 0):
        return {}
    return {"name": str(axis.get("name") or ""), "scale": float(scale), "offset": float(offset), **named}


def _navigation(axes: object, shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return the axes before the channel axis, calibrated where a file says how."""
    told: list[Any] = axes if isinstance(axes, list) else []
    told = told[max(len(told) - len(shape), 0) :]  # a single item comes without the axis that counts items
    told = [each if isinstance(each, dict) else {} for each in [*[{}] * (len(shape) - len(told)), *told]]
    names = [*(f"axis {number}" for number in range(len(shape) - len(_NAVIGATION))), *_NAVIGATION]
    return [
        {
            "name": str(each.get("name") or name),
            "size": size,
            "navigate": True,
            "scale": _number(each.get("scale"), 1.0),
            "offset": _number(each.get("offset"), 0.0),
            "units": str(each.get("unit", "" if each else "px")),
        }
        for each, name, size in zip(told, names[len(names) - len(shape) :], shape, strict=True)
    ]


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
