"""Recorded spectrum images play the specimen: judged on the half of their counts that no map has seen."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from daisy_bluesky.bench._engine import new_engine
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.callbacks import Journal
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import RecordedInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.report import MapOutcome, read_run, recorded_outcomes
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
    pairs = [_map(file, seed) for seed in seeds]
    adaptive, raster = np.array([[outcome.deviance for outcome in pair] for pair in pairs], dtype=np.float64).T
    phases = [int(own.phase_map.max()) for own, _ in pairs]
    better = int((adaptive < raster).sum())
    return Gate(
        what,
        f"{np.median(adaptive):.2f} per pixel ({', '.join(format(value, '.2f') for value in adaptive)})",
        beside=f"raster of equal electrons {np.median(raster):.2f} ({', '.join(format(v, '.2f') for v in raster)}); "
        f"the map is better for {better} of {len(pairs)} seeds; phases found: {', '.join(map(str, phases))}",
        figures={
            "adaptive": float(np.median(adaptive)),
            "raster": float(np.median(raster)),
            "counts_per_spectrum": pairs[0][0].counts_per_spectrum,
        },
    )


def _map(file: Path, seed: int) -> tuple[MapOutcome, MapOutcome]:
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
    return own, raster
