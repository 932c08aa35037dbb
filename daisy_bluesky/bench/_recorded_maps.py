"""Recorded spectrum images play the specimen: judged on the half of their counts that no map has seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._engine import new_engine
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.callbacks import Journal
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import RecordedInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.report import HeldOut, read_run, recorded_outcomes
from daisy_bluesky.specimen import RecordedSpecimen
from daisy_bluesky.storage import replay

RECORDINGS = ("eds_si_espm_brg_fp", "eds_si_SiO2_particles", "eds_si_P45_mineral")
FRACTION = 0.15
OVERHEAD = 0.005
SEEDS = range(3)


def measure(data: Path) -> Iterator[Gate]:
    """Measure the deviance of the reconstructed spectra, beside that of a raster of equal electrons."""
    for name in RECORDINGS:
        what = f"{name} at {FRACTION:.0%}, no phase known beforehand, median of seeds {SEEDS[0]}-{SEEDS[-1]}: deviance"
        file = data / f"{name}.npz"
        if not file.is_file():
            yield Gate(what, f"skipped: no measurements in {data}")
        else:
            yield judge(what, file, SEEDS)


def judge(what: str, file: Path, seeds: Sequence[int]) -> Gate:
    """Map a recorded specimen once for each seed, and judge the maps on the counts held out.

    Parameters
    ----------
    what : str
        Name of the row.
    file : Path
        The recorded spectrum image.
    seeds : sequence of int
        Seeds of the start pattern and of the division of the counts.
    """
    judged = [_map(file, seed) for seed in seeds]
    adaptive, raster, uniform = np.array([one.deviances for one in judged]).T
    return Gate(
        what,
        f"{np.median(adaptive):.2f} per pixel ({_listed(adaptive)})",
        beside=f"raster of equal electrons {np.median(raster):.2f} ({_listed(raster)}); the map is better for "
        f"{int((adaptive < raster).sum())} of {len(judged)} seeds; one spectrum for the whole field "
        f"{np.median(uniform):.2f}; phases found: {', '.join(str(one.phases) for one in judged)}; "
        f"{judged[0].counts:.0f} counts a spectrum",
        figures={
            "adaptive": float(np.median(adaptive)),
            "raster": float(np.median(raster)),
            "uniform": float(np.median(uniform)),
        },
    )


@dataclass(frozen=True)
class _Judged:
    """Deviances per pixel of the map, of the raster and of one spectrum for all; phases found; counts a spectrum."""

    deviances: tuple[float, float, float]
    phases: int
    counts: float


def _map(file: Path, seed: int) -> _Judged:
    specimen = RecordedSpecimen.load(file, seed=seed)
    devices = make_devices(RecordedInstrument(specimen), settle_time=OVERHEAD)
    plan = adaptive_map(
        devices.detectors, devices.probe, dwell_time=specimen.recorded_dwell / 2, fraction=FRACTION, seed=seed
    )
    with TemporaryDirectory() as folder, new_engine() as engine:
        journal = Journal(folder)
        engine.subscribe(journal)
        uids: Any = engine(plan)
        run = read_run(replay(Path(folder) / str(uids[0])))
    own, raster = recorded_outcomes(specimen, run)
    field = np.asarray(specimen.thinned(0.5).sum(axis=0), dtype=np.float64).reshape(1, -1) + 0.5
    uniform = HeldOut.half(specimen).deviance(np.ones(specimen.shape, np.int64), field)
    deviances = np.array([own.deviance, raster.deviance, uniform], dtype=np.float64)
    return _Judged(tuple(deviances.tolist()), len(run.mean_spectra), own.counts_per_spectrum)


def _listed(values: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)
