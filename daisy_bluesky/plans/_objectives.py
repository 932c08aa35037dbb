"""What a map is to show: objectives by name, and where the detectors' events tell of them."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from bluesky.protocols import Readable

from daisy_bluesky.sampling import PHASES, Objective, checked_weights
from daisy_bluesky.spectra import EnergyAxis, element_signal

OF_PHASES = ("phases", "boundaries", "rare phases")
CAMERA = ("noise_gain", "read_noise")


def chosen_objectives(given: Mapping[str, Any], detectors: Sequence[Readable[Any]]) -> dict[str, Any]:
    """Return the objectives as the ``recommender`` entry of a start document has them.

    Parameters
    ----------
    given : mapping of str to Any
        ``objectives``: weights by name; ``policy`` and ``cost``, which do not go with them.
    detectors : sequence of Readable
        What measures.

    Returns
    -------
    dict
        ``policy``; ``objectives``, weights by name; ``fields``, what is measured for them and where it comes from.

    Raises
    ------
    ValueError
        A name is no line or edge that these detectors measure, a weight is none, or a policy is asked for.
    """
    for name in ("policy", "cost"):
        if given[name] is not None:
            raise ValueError(f"{name}: objectives decide by themselves where to go; leave {name} out")
    weights = checked_weights(given["objectives"])
    sources = _sources(detectors)
    fields = dict.fromkeys(Objective.named(name).field for name in weights)
    if PHASES not in fields and given["classifier"] is not None:
        raise ValueError("classifier: none of the objectives asks for phases; add 'phases', or leave classifier out")
    return {"policy": "objectives", "objectives": weights, "fields": [_field(name, sources) for name in fields]}


def _field(name: str, sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if name == PHASES:
        return {"name": name}
    axes = {unit: EnergyAxis(*source["axis"]) for unit, source in sources.items()}
    try:
        signal = element_signal(name, axes)
    except ValueError as error:
        near = get_close_matches(name, OF_PHASES, n=1)
        raise ValueError(
            f"objectives: {f'{name!r} is not known; did you mean {near[0]!r}?' if near else error}"
        ) from None
    return {"name": name, **sources[signal.axis.unit]}


def _sources(detectors: Sequence[Readable[Any]]) -> dict[str, dict[str, Any]]:
    """Return where spectra come from, by the unit of their energy axis: keV of X-rays, eV of energy losses."""
    sources: dict[str, dict[str, Any]] = {}
    for detector in detectors:
        settings: Mapping[str, Any] = getattr(detector, "read_configuration", dict)()
        described: Mapping[str, Any] = getattr(detector, "describe_configuration", dict)()
        values = {key: entry["value"] for key, entry in settings.items()}
        name = detector.name
        offset, dispersion, spectrum = f"{name}_energy_offset", f"{name}_dispersion", f"{name}_spectrum"
        keys: Mapping[str, Any] = detector.describe()  # type: ignore[assignment]
        if {offset, dispersion} <= values.keys() and spectrum in keys:
            unit = str(described[offset].get("units", ""))
            axis = [float(values[offset]), float(values[dispersion]), int(keys[spectrum]["shape"][0]), unit]
            source: dict[str, Any] = {"spectrum": spectrum, "axis": axis}
            source["seconds"] = f"{name}_live_time" if f"{name}_live_time" in keys else ""
            camera = {key: float(np.asarray(values[f"{name}_{key}"])) for key in CAMERA if f"{name}_{key}" in values}
            sources.setdefault(unit, source | ({"camera": camera} if camera else {}))
    return sources
