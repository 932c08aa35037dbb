"""What an operator changes while a map is measured, recorded with the run so that its decisions can be taken again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bluesky.utils import MsgGenerator
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.callbacks import STEERING
from daisy_bluesky.plans._record import Record, save
from daisy_bluesky.sampling import PREFERENCE, checked_mask, checked_region_preference, checked_weights


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
        # what the operator has asked for, and what held in the runs that a map continues
        self._weights: dict[str, float] | None = None
        self._allowed: NDArray[np.bool_] | None = None
        self._preference: NDArray[np.float32] | None = None
        self._before: Mapping[str, Any] = {}
        self._begun: dict[str, float] = {}
        self._changed = False
        self._record = Record(STEERING, "operator")

    @property
    def weights(self) -> dict[str, float]:
        """How much each objective counts, by name; those left out of what is assigned count 0 from then on."""
        return dict(self._begun if self._weights is None else self._weights)

    @weights.setter
    def weights(self, weights: Mapping[str, float]) -> None:
        self._weights = self._checked(weights, self._names)
        self._changed = True

    @property
    def vetoes(self) -> bool:
        """Whether any pixel is vetoed."""
        return not self._allowed_now().all()

    def restrict(self, allowed: ArrayLike | None) -> None:
        """Veto all but some pixels: it replaces what was vetoed before.

        Parameters
        ----------
        allowed : (rows, columns) bool, optional
            Where may be measured from now on; None takes every veto back.

        Raises
        ------
        ValueError
            If its shape is not that of the map, or it is not true or false everywhere; then nothing has changed.
        """
        shape = self._shape or self._shape_of("allowed", allowed)
        self._allowed = checked_mask("allowed", allowed, shape, default=True)
        self._changed = True

    def add_region(self, region: ArrayLike, preference: float = PREFERENCE) -> None:
        """Prefer a region: what is expected there counts more from now on.

        Parameters
        ----------
        region : (rows, columns) bool
            The pixels.
        preference : float
            How many times more they count, 0.001 to 1000; 1 takes an earlier preference back.

        Raises
        ------
        ValueError
            If it is no mask of the map's shape, or the preference is out of range; then nothing has changed.
        """
        shape = self._shape or self._shape_of("region", region)
        before = self._preference
        if before is None or before.shape != shape:  # of another map than this one
            before = self._told("preference", np.ones(shape, np.float32))
        self._preference = checked_region_preference(region, preference, before, shape)
        self._changed = True

    def bound(self, configuration: Mapping[str, Any], before: Mapping[str, Any]) -> "Steering":
        """Tie it to a map and return it; what was asked for, be it for an earlier map, holds for this one.

        Parameters
        ----------
        configuration : mapping
            The ``recommender`` entry of the start document.
        before : mapping
            The latest steering of the runs it continues; empty where there was none.

        Raises
        ------
        ValueError
            If what was asked for does not fit the map; then nothing has changed.
        """
        rows, columns = configuration["shape"]
        for name, asked in (("allowed", self._allowed), ("preference", self._preference)):
            if asked is not None and asked.shape != (rows, columns):
                raise ValueError(f"steering: {name} has shape {asked.shape}, the map {(rows, columns)}")
        begun = configuration.get("objectives", {})
        names, told = tuple(begun), before.get("weights")
        if self._weights is not None and self._weights.keys() != begun.keys():
            self._weights = self._checked(self._weights, names)
        self._names, self._shape, self._before = names, (int(rows), int(columns)), before
        self._begun = dict(begun) if told is None else dict(zip(begun, map(float, told), strict=True))
        self._record = Record(STEERING, "operator")  # a stream has one source in a run
        self._changed = any(asked is not None for asked in (self._weights, self._allowed, self._preference))
        return self

    def pending(self) -> Record | None:
        """Return all that holds from now on, to be saved, if it has changed since last asked; else None."""
        if not self._changed or self._shape is None:
            return None
        self._changed = False
        preference = self._preference
        if preference is None:
            preference = self._told("preference", np.ones(self._shape, np.float32))
        state: dict[str, NDArray[np.generic]] = {
            "allowed": self._allowed_now().astype(np.uint8),
            "preference": preference,
        }
        if self._names:
            state["weights"] = np.array(list(self.weights.values()))
        self._record.put(state)
        return self._record

    def _allowed_now(self) -> NDArray[np.bool_]:
        return self._told("allowed", np.ones(self._shape or (1, 1), bool)) if self._allowed is None else self._allowed

    def _told(self, name: str, otherwise: NDArray[Any]) -> NDArray[Any]:
        """Return what held in the runs that the map continues."""
        return np.array(self._before.get(name, otherwise), otherwise.dtype)

    def _checked(self, weights: Mapping[str, float], names: tuple[str, ...] | None) -> dict[str, float]:
        if names == ():
            raise ValueError("weights: only a map with objectives has any; give adaptive_map objectives")
        return checked_weights(weights, names)

    def _shape_of(self, name: str, mask: ArrayLike | None) -> tuple[int, int]:
        """Return the shape of a mask given before there is a map."""
        try:
            rows, columns = np.shape(np.asarray(mask))
        except ValueError:
            raise ValueError(f"{name} must have the map's shape, (rows, columns)") from None
        return rows, columns


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
