"""Gets a recommender ready before the first electron."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bluesky.protocols import NamedMovable, Readable

from daisy_bluesky.callbacks import (
    CLASSIFIER,
    DWELL_LIMITS,
    ROI,
    SAMPLING_MODEL,
    NextProbe,
    Spending,
    make_recommender,
)
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.plans._grid import grid_shape
from daisy_bluesky.plans._numbers import positive, share, whole
from daisy_bluesky.plans._objectives import chosen_objectives
from daisy_bluesky.plans._pixel_limits import dwell_limits
from daisy_bluesky.plans._policy import chosen_policy, dwell_times, told_costs
from daisy_bluesky.plans._region_of_interest import region_of_interest
from daisy_bluesky.sampling import PHASES, SladsModel

LARGEST_SCALAR = 16
FRACTION = 0.2
START_FRACTION = 0.01


@dataclass(frozen=True)
class Preparation:
    """A recommender and what a run must store so that it can be built again.

    Attributes
    ----------
    recommender : NextProbe
        Ready for the run; it has taken in the runs this one continues.
    configuration : dict
        The ``recommender`` entry of the start document.
    models : dict of str to bytes
        Serialised models, and how long each pixel may be exposed where that is limited, for the ``models`` stream.
    continues : list of str
        Uids of the runs this one continues, oldest first.
    continued : Mapping
        Start document of the latest of them; empty where there is none.
    dwell_times : Mapping of str to float
        Dwell times the latest of them was measured with, s, by detector.
    unbooked : Spending or None
        What they did to the field, where the beam's account does not hold it yet.
    """

    recommender: NextProbe
    configuration: dict[str, Any]
    models: dict[str, bytes]
    continues: list[str]
    continued: Mapping[str, Any] = field(default_factory=dict)
    dwell_times: Mapping[str, float] = field(default_factory=dict)
    unbooked: Spending | None = None

    @property
    def pixels(self) -> int:
        """Number of pixels the map is of."""
        rows, columns = self.configuration["shape"]
        return sum(self.models[ROI]) if ROI in self.models else int(rows) * int(columns)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the start document says of the recommender."""
        metadata: dict[str, Any] = {
            "recommender": self.configuration,
            "model_digests": {name: hashlib.sha256(blob).hexdigest() for name, blob in self.models.items()},
        }
        return metadata | ({"continues": self.continues} if self.continues else {})

    def limits(self, **given: float | None) -> dict[str, Any]:
        """Return the limits given; where one is None, that of the run this one continues, or its default."""
        before = self.continued.get("plan_args", {"fraction": FRACTION})
        return {name: before.get(name) if limit is None else limit for name, limit in given.items()}


def prepare_new(detectors: Sequence[Readable[Any]], probe: NamedMovable[Any], given: Mapping[str, Any]) -> Preparation:
    """Prepare a map that starts from nothing.

    Parameters
    ----------
    detectors : sequence of Readable
        What measures.
    probe : NamedMovable
        Where it is measured.
    given : mapping of str to Any
        What the user asks of ``shape``, ``spectrum``, ``classifier``, ``model``, ``fraction``, ``start_fraction``,
        ``dwell_time``, ``policy``, ``cost``, ``objectives``, ``roi``, ``seed`` (None leaves each to its default) and
        ``batch``.

    Raises
    ------
    ValueError
        No detector measures spectra, a model file is unreadable or was trained for other channels, or what is asked
        is out of range.
    """
    if given["objectives"] is None:
        key, channels = spectrum_key(detectors, given["spectrum"])
        policy = chosen_policy(given, _one_visit(detectors, given), told_costs(detectors, probe))
    else:
        policy = chosen_objectives(given, detectors)
        key, channels = _spectra_of(policy["fields"], detectors, given["spectrum"])
    configuration = {
        **policy,
        "shape": list(grid_shape(probe, given["shape"])),
        "seed": whole("seed", given["seed"] or 0, 0),
        "start_fraction": _start_of(given["fraction"], given["start_fraction"]),
        "batch": given["batch"],
        "spectrum": key,
        "channels": channels,
        "position": list(getattr(probe, "hints", {}).get("fields", ()))
        or [f"{probe.name}_row", f"{probe.name}_column"],
    }
    models = _read_models(given["model"], given["classifier"], key, channels)
    limits = dwell_limits(detectors, configuration["shape"])
    if policy["policy"] != "slads" and limits is not None:
        models[DWELL_LIMITS] = limits
    if (roi := region_of_interest(given["roi"], grid_shape(probe, given["shape"]))) is not None:
        models[ROI] = roi
    return Preparation(make_recommender(configuration, models), configuration, models, [])


def _spectra_of(
    fields: Sequence[Mapping[str, Any]], detectors: Sequence[Readable[Any]], wanted: str | None
) -> tuple[str, int]:
    """Return data key and channels of the spectra that tell the phases, or of the first field where they are none."""
    if any(field["name"] == PHASES for field in fields):
        return spectrum_key(detectors, wanted)
    return str(fields[0]["spectrum"]), int(fields[0]["axis"][2])


def _one_visit(detectors: Sequence[Readable[Any]], given: Mapping[str, Any]) -> float | None:
    """Return the dwell time of a visit, s: what is asked, or what the first detector is set to."""
    if given["dwell_time"] is not None:
        return positive("dwell_time", given["dwell_time"], "seconds")
    return next(iter(dwell_times(detectors).values()), None)


def _start_of(fraction: float | None, start_fraction: float | None) -> float:
    largest = FRACTION if fraction is None else share("fraction", fraction)
    if start_fraction is None:
        return min(START_FRACTION, largest)
    if share("start_fraction", start_fraction) > largest:
        raise ValueError(f"start_fraction: {start_fraction} is more than fraction, {largest}; give less")
    return start_fraction


def _read_models(model: str | None, classifier: str | None, key: str, channels: int) -> dict[str, bytes]:
    sampling = SladsModel.default().to_bytes() if model is None else _named("model", model, SladsModel.from_bytes)
    models = {SAMPLING_MODEL: sampling}
    if classifier is not None:
        models[CLASSIFIER] = _named("classifier", classifier, PhaseClassifier.from_bytes)
        _check_channels(classifier, PhaseClassifier.from_bytes(models[CLASSIFIER]).channels, key, channels)
    return models


def _check_channels(path: str, trained: int, key: str, channels: int) -> None:
    if trained != channels:
        raise ValueError(
            f"classifier: {path} was trained for {trained} channels, {key} has {channels}; train one on spectra of "
            "this detector"
        )


def spectrum_key(detectors: Sequence[Readable[Any]], wanted: str | None) -> tuple[str, int]:
    """Return the data key of the spectra that decide, and their number of channels.

    Raises
    ------
    ValueError
        No detector counts spectra, or not the wanted ones.
    """
    spectra: dict[str, int] = {}
    for detector in detectors:
        described: Mapping[str, Any] = detector.describe()  # type: ignore[assignment]
        spectra |= {key: int(entry["shape"][0]) for key, entry in described.items() if _counted_spectrum(entry)}
    if not spectra:
        names = ", ".join(detector.name for detector in detectors)
        raise ValueError(f"detectors: none of [{names}] measures spectra of counts, which decide where to go; add eds")
    if wanted is None:
        return next(iter(spectra.items()))
    if wanted not in spectra:
        raise ValueError(f"spectrum: no detector counts {wanted!r}; spectra of counts are {', '.join(spectra)}")
    return wanted, spectra[wanted]


def _counted_spectrum(data_key: Mapping[str, Any]) -> bool:
    shape = data_key["shape"]
    counted = np.dtype(data_key.get("dtype_numpy") or "f8").kind in "iu"
    return counted and len(shape) == 1 and (shape[0] or 0) > LARGEST_SCALAR


def _read_file(parameter: str, path: str) -> bytes:
    if not isinstance(path, str):
        raise ValueError(f"{parameter}: {path!r} is no path; give the file of a trained model")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(
            f"{parameter}: {path} cannot be read ({error.strerror}); give the file of a trained model"
        ) from None


def _named(parameter: str, path: str, recognise: Callable[[bytes], Any]) -> bytes:
    blob = _read_file(parameter, path)
    try:
        recognise(blob)
    except ValueError as error:
        raise ValueError(f"{parameter}: {path}: {error}") from None
    return blob
