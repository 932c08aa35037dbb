"""Gets a recommender ready before the first electron: from models, or from a run that was cut short."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluesky.protocols import Movable, Readable

from daisy_bluesky.callbacks import CLASSIFIER, SAMPLING_MODEL, NextProbe, drive, make_recommender, stored_models
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
    probe: Movable[Any],
    shape: tuple[int, int],
    *,
    spectrum: str | None,
    classifier: str | None,
    model: str | None,
    start_fraction: float,
    seed: int,
) -> Preparation:
    """Prepare a map that starts from nothing.

    Raises
    ------
    ValueError
        No detector measures spectra, a model file is unreadable or was trained for other channels.
    """
    key, channels = _spectrum_key(detectors, spectrum)
    trained = SladsModel.load(Path(model)) if model else SladsModel.default()
    models = {SAMPLING_MODEL: trained.to_bytes()}
    if classifier is not None:
        models[CLASSIFIER] = _read_file(classifier)
    configuration = {
        "policy": "slads",
        "shape": list(shape),
        "seed": seed,
        "start_fraction": start_fraction,
        "spectrum": key,
        "channels": channels,
        "position": list(getattr(probe, "hints", {}).get("fields", ()))
        or [f"{probe.name}_row", f"{probe.name}_column"],
    }
    return Preparation(make_recommender(configuration, models), configuration, models, [])


def prepare_continued(uid: str, detectors: Sequence[Readable[Any]]) -> Preparation:
    """Prepare a map that goes on with a run that was cut short, with all that was measured and dosed known.

    Raises
    ------
    ValueError
        The run is not in the journal, is no adaptive map, or was measured with another detector.
    """
    directory = load_settings().journal_directory
    latest = find_run(uid, directory)
    start, models = stored_models(replay(latest))
    configuration = dict(start["recommender"])
    key, channels = _spectrum_key(detectors, configuration["spectrum"])
    if channels != configuration["channels"]:
        raise ValueError(f"continue_from: {key} has {channels} channels, run {uid} {configuration['channels']}")
    lineage = [*start.get("continues", []), start["uid"]]
    recommender = make_recommender(configuration, models)
    for earlier in lineage:
        drive(recommender, replay(find_run(earlier, directory)))
    return Preparation(recommender, configuration, models, lineage)


def _spectrum_key(detectors: Sequence[Readable[Any]], wanted: str | None) -> tuple[str, int]:
    spectra: dict[str, int] = {}
    for detector in detectors:
        described: Mapping[str, Any] = detector.describe()  # type: ignore[assignment]
        spectra |= {
            key: int(entry["shape"][0])
            for key, entry in described.items()
            if len(entry["shape"]) == 1 and (entry["shape"][0] or 0) > LARGEST_SCALAR
        }
    if not spectra:
        raise ValueError(f"detectors: none of {', '.join(d.name for d in detectors)} measures spectra; add eds or eels")
    if wanted is None:
        return next(iter(spectra.items()))
    if wanted not in spectra:
        raise ValueError(f"spectrum: no detector measures {wanted!r}; spectra are {', '.join(spectra)}")
    return wanted, spectra[wanted]


def _read_file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ValueError(
            f"classifier: {path} cannot be read ({error.strerror}); give the file of a trained classifier"
        ) from None
