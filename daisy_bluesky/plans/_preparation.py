"""Gets a recommender ready before the first electron: from models, or from a run that was cut short."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bluesky.protocols import NamedMovable, Readable

from daisy_bluesky.callbacks import CLASSIFIER, SAMPLING_MODEL, NextProbe, drive, make_recommender, stored_models
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.config import load_settings
from daisy_bluesky.sampling import SladsModel
from daisy_bluesky.storage import find_run, replay

LARGEST_SCALAR = 16


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
        Serialised models, for the ``models`` stream.
    continues : list of str
        Uids of the runs this one continues, oldest first.
    """

    recommender: NextProbe
    configuration: dict[str, Any]
    models: dict[str, bytes]
    continues: list[str]

    @property
    def metadata(self) -> dict[str, Any]:
        """What the start document says of the recommender."""
        metadata: dict[str, Any] = {
            "recommender": self.configuration,
            "model_digests": {name: hashlib.sha256(blob).hexdigest() for name, blob in self.models.items()},
        }
        return metadata | ({"continues": self.continues} if self.continues else {})


def prepare_new(
    detectors: Sequence[Readable[Any]],
    probe: NamedMovable[Any],
    shape: tuple[int, int],
    *,
    spectrum: str | None,
    classifier: str | None,
    model: str | None,
    start_fraction: float,
    seed: int,
    policy: Mapping[str, Any],
) -> Preparation:
    """Prepare a map that starts from nothing.

    Raises
    ------
    ValueError
        No detector measures spectra, a model file is unreadable or was trained for other channels.
    """
    key, channels = _spectrum_key(detectors, spectrum)
    sampling = _named("model", model, SladsModel.from_bytes) if model else SladsModel.default().to_bytes()
    models = {SAMPLING_MODEL: sampling}
    if classifier is not None:
        models[CLASSIFIER] = _named("classifier", classifier, PhaseClassifier.from_bytes)
    configuration = {
        **policy,
        "shape": list(shape),
        "seed": seed,
        "start_fraction": start_fraction,
        "spectrum": key,
        "channels": channels,
        "position": list(getattr(probe, "hints", {}).get("fields", ()))
        or [f"{probe.name}_row", f"{probe.name}_column"],
    }
    return Preparation(make_recommender(configuration, models), configuration, models, [])


def prepare_continued(uid: str, detectors: Sequence[Readable[Any]], given: Mapping[str, Any]) -> Preparation:
    """Prepare a map that goes on with a run that was cut short, with all that was measured and dosed known.

    Parameters
    ----------
    uid : str
        The run, or the beginning of its uid.
    detectors : sequence of Readable
        What measures now.
    given : mapping of str to Any
        What the user asks of ``shape``, ``spectrum``, ``classifier`` and ``model``; None leaves it to the run.

    Raises
    ------
    ValueError
        The run is not in the journal, is no adaptive map, or was measured otherwise than now asked for.
    """
    directory = load_settings().journal_directory
    latest = find_run(uid, directory)
    start, models = stored_models(replay(latest))
    configuration = dict(start["recommender"])
    _check_agreement(uid, configuration, given)
    key, channels = _spectrum_key(detectors, configuration["spectrum"])
    if channels != configuration["channels"]:
        raise ValueError(f"continue_from: {key} has {channels} channels, run {uid} {configuration['channels']}")
    lineage = [*start.get("continues", []), start["uid"]]
    recommender = make_recommender(configuration, models)
    for earlier in lineage:
        drive(recommender, replay(find_run(earlier, directory)))
    return Preparation(recommender, configuration, models, lineage)


def _check_agreement(uid: str, configuration: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    for name in ("classifier", "model"):
        if given[name] is not None:
            raise ValueError(f"{name}: run {uid} goes on with the models it stored; leave {name} out")
    for name in ("shape", "spectrum"):
        if given[name] is not None and tuple(given[name]) != tuple(configuration[name]):
            raise ValueError(f"{name}: run {uid} was measured with {configuration[name]}; leave {name} out")


def _spectrum_key(detectors: Sequence[Readable[Any]], wanted: str | None) -> tuple[str, int]:
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
