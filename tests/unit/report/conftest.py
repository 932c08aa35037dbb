"""A small made-up run, as documents, and the numbers that went into it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

CHANNELS = 64
CURRENT = 50.0


@dataclass
class MadeUpRun:
    """Documents of a run on a two-phase field, and what a summary of them must say."""

    shape: tuple[int, int] = (12, 16)
    dwell: float = 0.02
    gap: float = 0.005
    uid: str = "0a1b2c3d-made-up"
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def __post_init__(self) -> None:
        columns = self.shape[1]
        self.truth = np.ones(self.shape, dtype=np.uint8)
        self.truth[:, columns // 2 :] = 2
        self.positions = np.argwhere(self.rng.random(self.shape) < 0.4)
        self.labels = self.truth[tuple(self.positions.T)].astype(np.int64)
        self.labels[::9] = 0
        shapes = np.exp(-0.5 * ((np.arange(CHANNELS) - np.array([[15], [40]])) / 3) ** 2) + 0.02
        means = 300 * shapes / shapes.sum(1, keepdims=True)
        self.spectra = np.array([self.rng.poisson(means[max(k, 1) - 1]) for k in self.labels], dtype=np.uint32)
        self.haadf = self.rng.normal(10 * self.truth[tuple(self.positions.T)], 1)
        self.result = {"phase_map": self.truth.astype(np.int16), "mean_spectra": means}

    @property
    def visits(self) -> int:
        return len(self.positions)

    def opening(self) -> list[tuple[str, dict[str, Any]]]:
        recommender = {"position": ["probe_row", "probe_column"], "spectrum": "eds_spectrum"}
        array = {"dtype": "array", "shape": [CHANNELS], "dtype_numpy": "<u4"}
        configuration = {"eds": {"data": {"eds_energy_offset": -0.1, "eds_dispersion": 0.05}}}
        start = {"uid": self.uid, "time": 100.0, "shape": list(self.shape), "plan_name": "adaptive_map"}
        keys = {"eds_spectrum": array, "haadf_intensity": {}, "probe_row": {}, "probe_column": {}}
        primary = {"uid": "p", "name": "primary", "data_keys": keys, "configuration": configuration}
        return [
            ("start", start | {"recommender": recommender}),
            ("descriptor", primary),
            ("descriptor", {"uid": "d", "name": "decisions", "data_keys": {}, "configuration": {}}),
            ("descriptor", {"uid": "m", "name": "models", "data_keys": {}, "configuration": {}}),
            ("descriptor", {"uid": "r", "name": "result", "data_keys": {}, "configuration": {}}),
        ]

    def event(self, number: int) -> tuple[str, dict[str, Any]]:
        row, column = self.positions[number].tolist()
        data = {
            "probe_row": float(row),
            "probe_column": float(column),
            "eds_spectrum": self.spectra[number],
            "haadf_intensity": self.haadf[number],
            "beam_charge": CURRENT * self.dwell,
            "beam_dwell_time": self.dwell,
            "beam_time": 7.0 + number * (self.dwell + self.gap),
        }
        return "event", {"descriptor": "p", "seq_num": number + 1, "data": data}

    def decision(self, number: int, found: int | None = None, relabelled: int = 0) -> tuple[str, dict[str, Any]]:
        found = int(self.labels[number]) if found is None else found
        data = {"visit": number + 1, "found": found, "relabelled": relabelled, "latency": 1e-4 * (number + 1)}
        return "event", {"descriptor": "d", "seq_num": number + 1, "data": data}

    def measured(self) -> list[tuple[str, dict[str, Any]]]:
        return [document for i in range(self.visits) for document in (self.event(i), self.decision(i))]

    def closing(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("event", {"descriptor": "r", "seq_num": 1, "data": self.result}),
            ("stop", {"time": 110.0, "exit_status": "success"}),
        ]

    def documents(self) -> list[tuple[str, dict[str, Any]]]:
        return [*self.opening(), *self.measured(), *self.closing()]


@pytest.fixture
def made_up_run() -> MadeUpRun:
    return MadeUpRun()
