"""The learned expected reduction in distortion, as data."""

import hashlib
import io
import zipfile
from dataclasses import dataclass, fields
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._argument_checks import checked_numbers
from daisy_bluesky.sampling._calibration import QUANTILES, SIGNS
from daisy_bluesky.sampling._features import FEATURE_VERSION
from daisy_bluesky.sampling._regression import WEIGHTS, Regression


@dataclass(frozen=True, eq=False)
class SladsModel:
    """A trained regression of the expected reduction in distortion (ERD), with how it was made.

    Attributes
    ----------
    weights : (WEIGHTS,) float32
        Of the network that predicts the ERD over squared distance to the nearest measurement, and the probabilities
        that the neighbours' vote and the reconstruction are wrong.
    exploration : float
        Floor of the first prediction, which keeps unmeasured regions attractive.
    window : float
        The c of the training target: its Gaussian window has sigma = (distance to the nearest measurement) / c.
    calibration : (3, SIGNS) float64
        Slopes that turn what a run tells of itself into the logarithm of true over expected distortion, and the least
        and largest of it that calibration runs told.
    interval : (2,) float64
        4% and 96% quantile of what these were off by.
    description : str
        Training set and score, for people.
    feature_version : int
        Which description of a pixel the weights belong to.
    """

    weights: NDArray[np.float32]
    exploration: float
    window: float
    calibration: NDArray[np.float64]
    interval: NDArray[np.float64]
    description: str = ""
    feature_version: int = FEATURE_VERSION

    def __post_init__(self) -> None:
        """Check that the parts belong together.

        Raises
        ------
        ValueError
            If the model is of another feature version, or its arrays are of other shapes or not finite.
        """
        if self.feature_version != FEATURE_VERSION:
            raise ValueError(
                f"SladsModel: feature version {self.feature_version}, expected {FEATURE_VERSION}; train again"
            )
        shapes = (self.weights.shape, self.calibration.shape, self.interval.shape)
        if shapes != ((WEIGHTS,), (3, SIGNS), (len(QUANTILES),)):
            raise ValueError(f"SladsModel: arrays of shapes {shapes} do not make a model; train again")
        if not all(np.isfinite(array).all() for array in self._arrays().values() if array.dtype.kind == "f"):
            raise ValueError("SladsModel: weights must be finite; train again")

    @property
    def regression(self) -> Regression:
        """The weights as compiled kernels take them."""
        return Regression(self.weights, self.exploration)

    @property
    def digest(self) -> str:
        """SHA-256 of everything in the model, hexadecimal."""
        content = hashlib.sha256()
        for name, array in self._arrays().items():
            content.update(f"{name} {array.dtype.str} {array.shape} ".encode() + array.tobytes())
        return content.hexdigest()

    def to_bytes(self) -> bytes:
        """Return the model as the bytes of an ``.npz`` file."""
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **self._arrays())
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the model that `to_bytes` wrote.

        Raises
        ------
        ValueError
            If the bytes are not a model of this version.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as parts:
                found = _parts({field.name: parts[field.name] for field in fields(cls)})
        except (KeyError, OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError("not a sampling model; train one with sampling.train") from error
        return cls(**found)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to an ``.npz`` file."""
        Path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model from a file.

        Raises
        ------
        ValueError
            If the file is not a model of this version.
        """
        try:
            return cls.from_bytes(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    @classmethod
    def default(cls) -> Self:
        """Return the model that comes with the package, trained on generated shapes by ``train_default``."""
        return cls.from_bytes(resources.files("daisy_bluesky.sampling").joinpath("models/default.npz").read_bytes())

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}


def _parts(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Return what a model is made of, from the arrays of its file."""
    return {
        "weights": np.ascontiguousarray(checked_numbers("weights", arrays["weights"]), np.float32),
        "exploration": float(arrays["exploration"].item()),
        "window": float(arrays["window"].item()),
        "calibration": np.asarray(checked_numbers("calibration", arrays["calibration"]), np.float64),
        "interval": np.asarray(checked_numbers("interval", arrays["interval"]), np.float64),
        "description": str(arrays["description"]),
        "feature_version": int(arrays["feature_version"].item()),
    }


def checked_model(model: SladsModel | None) -> SladsModel:
    """Return a sampling model, the shipped one where none is given.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if model is None:
        return SladsModel.default()
    if not isinstance(model, SladsModel):
        raise ValueError(f"model: {model!r} is no SladsModel; load one with SladsModel.load, or leave it out")
    return model
