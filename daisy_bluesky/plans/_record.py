"""What a plan itself knows, in a form the RunEngine can read into a stream."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from bluesky import Msg
from bluesky.utils import MsgGenerator


class Record:
    """A readable whose values the plan puts there: decisions, models, results.

    Parameters
    ----------
    name : str
        Name of the record; its data keys are the names of its values.
    source : str
        Where the values come from, stored in the descriptor.
    """

    parent = None
    hints: Mapping[str, Any] = {}

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self._source = source
        self._reading: dict[str, dict[str, Any]] = {}

    def put(self, values: Mapping[str, Any]) -> None:
        """Set what is read next: numbers or arrays by data key."""
        now = time.time()
        self._reading = {key: {"value": value, "timestamp": now} for key, value in values.items()}

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the values put last."""
        return self._reading

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the data keys of the values put last."""
        return {key: self._data_key(entry["value"]) for key, entry in self._reading.items()}

    def read_configuration(self) -> dict[str, Any]:
        """Return nothing: a record has no configuration."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Return nothing: a record has no configuration."""
        return {}

    def _data_key(self, value: Any) -> dict[str, Any]:
        array = np.asarray(value)
        if array.ndim:
            return {
                "source": self._source,
                "dtype": "array",
                "shape": list(array.shape),
                "dtype_numpy": array.dtype.str,
            }
        if array.dtype.kind == "U":
            return {"source": self._source, "dtype": "string", "shape": []}
        kind = "integer" if array.dtype.kind in "iu" else "number"
        return {"source": self._source, "dtype": kind, "shape": [], "dtype_numpy": array.dtype.str}


def save(record: Record) -> MsgGenerator[None]:
    """Save what was put last as an event of the stream the record is named for."""
    yield Msg("create", None, name=record.name)
    yield Msg("read", record)
    yield Msg("save")
