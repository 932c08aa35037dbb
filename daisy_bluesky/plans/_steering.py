"""What an operator changes while a map is measured, recorded with the run so that its decisions can be taken again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bluesky.utils import MsgGenerator
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.callbacks import STEERING
from daisy_bluesky.plans._numbers import positive
from daisy_bluesky.plans._record import Record, save
from daisy_bluesky.sampling import PREFERENCE, checked_weights


class Steering:
    """The operator's hand on a map: give it to `adaptive_map`, and change it at any time.

    What is changed, from the prompt while a run is paused, from another thread or from a callback, holds from the next
    decision on. It is saved in the run's stream ``steering`` first, so that a replay takes the same decisions.

    Examples
    --------
    >>> steering = Steering()
    >>> plan = adaptive_map([eds], probe, objectives={"Ti Ka": 1.0, "Al Ka": 1.0}, steering=steering)  # doctest: +SKIP
    >>> steering.weights = {"Ti Ka": 3.0}  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] | None = None
        self._shape: tuple[int, int] | None = None
        self._weights: dict[str, float] | None = None
        self._allowed: NDArray[np.bool_] | None = None
        self._preference: NDArray[np.float32] | None = None
        self._changed = False
        self._record = Record(STEERING, "operator")

    @property
    def weights(self) -> dict[str, float]:
        """How much each objective counts, by name; those left out of what is assigned count 0 from then on."""
        return dict(self._weights or {})

    @weights.setter
    def weights(self, weights: Mapping[str, float]) -> None:
        self._weights = self._checked(weights)
        self._changed = True

    def restrict(self, allowed: ArrayLike) -> None:
        """Veto all but some pixels: it replaces what was vetoed before.

        Parameters
        ----------
        allowed : (rows, columns) bool
            Where may be measured from now on.

        Raises
        ------
        ValueError
            If its shape is not that of the map, or it is not true or false everywhere; then nothing has changed.
        """
        self._allowed = self._mask("allowed", allowed)
        self._changed = True

    def add_region(self, region: ArrayLike, preference: float = PREFERENCE) -> None:
        """Prefer a region: what is expected there counts more from now on.

        Parameters
        ----------
        region : (rows, columns) bool
            The pixels.
        preference : float
            How many times more they count; 1 takes an earlier preference back.

        Raises
        ------
        ValueError
            If it is no mask of the map's shape, or the preference is not positive.
        """
        pixels = self._mask("region", region)
        positive("preference", preference)
        before = np.ones(pixels.shape, np.float32) if self._preference is None else self._preference
        self._preference = np.where(pixels, preference, before).astype(np.float32)
        self._changed = True

    def bound(self, configuration: Mapping[str, Any], before: Mapping[str, Any]) -> "Steering":
        """Tie it to a map and return it.

        Parameters
        ----------
        configuration : mapping
            The ``recommender`` entry of the start document.
        before : mapping
            The latest steering of the runs it continues; empty where there was none.

        Raises
        ------
        ValueError
            If what was asked for beforehand does not fit the map.
        """
        self._record = Record(STEERING, "operator")  # a stream has one source in a run
        rows, columns = configuration["shape"]
        self._shape = int(rows), int(columns)
        begun = configuration.get("objectives", {})
        self._names = tuple(begun)
        if self._weights is None:
            told = before.get("weights")
            self._weights = dict(begun) if told is None else dict(zip(begun, map(float, told), strict=True))
        elif self._weights.keys() != begun.keys():
            self._weights = self._checked(self._weights)
        self._allowed = self._or_before("allowed", self._allowed, before, np.ones(self._shape, bool))
        self._preference = self._or_before("preference", self._preference, before, np.ones(self._shape, np.float32))
        return self

    def pending(self) -> Record | None:
        """Return all that holds from now on, to be saved, if it has changed since last asked; else None."""
        if not self._changed or self._allowed is None or self._preference is None:
            return None
        self._changed = False
        state: dict[str, NDArray[np.generic]] = {
            "allowed": self._allowed.astype(np.uint8),
            "preference": self._preference,
        }
        if self._names:
            state["weights"] = np.array(list(self.weights.values()))
        self._record.put(state)
        return self._record

    def _checked(self, weights: Mapping[str, float]) -> dict[str, float]:
        if self._names == ():
            raise ValueError("weights: only a map with objectives has any; give adaptive_map objectives")
        return checked_weights(weights, self._names)

    def _mask(self, name: str, mask: ArrayLike) -> NDArray[np.bool_]:
        found = np.asarray(mask)
        if found.ndim != 2 or self._shape not in (None, found.shape):
            raise ValueError(f"{name} must have the map's shape {self._shape or '(rows, columns)'}, not {found.shape}")
        if found.dtype.kind not in "biuf" or not ((found == 0) | (found == 1)).all():
            raise ValueError(f"{name} must be true or false at every pixel")
        return np.array(found, bool)

    def _or_before(
        self, name: str, asked: NDArray[Any] | None, before: Mapping[str, Any], otherwise: NDArray[Any]
    ) -> NDArray[Any]:
        if asked is None:
            return np.array(before.get(name, otherwise), otherwise.dtype)
        if asked.shape != otherwise.shape:
            raise ValueError(f"steering: {name} has shape {asked.shape}, the map {otherwise.shape}")
        return asked


def hand(steering: Any) -> Steering:
    """Return the operator's hand, one that asks for nothing where there is none.

    Raises
    ------
    ValueError
        It is something else.
    """
    if steering is not None and not isinstance(steering, Steering):
        raise ValueError(f"steering: {steering!r} is no Steering; make one with daisy_bluesky.plans.Steering()")
    return steering or Steering()


def steer(steering: Steering) -> MsgGenerator[None]:
    """Save what the operator has changed, if anything; the recommender follows when it sees the event."""
    record = steering.pending()
    if record is not None:
        yield from save(record)
