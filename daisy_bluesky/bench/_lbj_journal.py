"""What it costs to append spectra while they are acquired."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time, thread_time

import numpy as np

from daisy_bluesky import lbj
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._lbj_cube import mean_spectrum

SEED = 0
SPECTRA, COUNTS = 20_000, 60
MICROSECONDS = 20.0
RECORDS, INTERVAL = 256, 0.05


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - simulated
    """Measure the CPU time of appending one spectrum of 60 counts under group commit."""
    shape = mean_spectrum(0.0004)
    rng = np.random.default_rng(SEED)
    spectra = rng.poisson(COUNTS * shape / shape.sum(), (SPECTRA, shape.size)).astype(np.uint32)
    seconds = np.empty(SPECTRA)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spectra.lbj"
        began = process_time()
        with lbj.Writer(path, channels=shape.size, sync_records=RECORDS, sync_interval=INTERVAL) as writer:
            for number, spectrum in enumerate(spectra):
                start = thread_time()
                writer.append(number, spectrum)
                seconds[number] = thread_time() - start
            journal = writer.nbytes
        whole = process_time() - began
        with lbj.Reader(path) as reader:
            restored = np.array_equal(reader[:], spectra)
            compact = reader.nbytes
    median = 1e6 * float(np.median(seconds))
    yield Gate(
        f"{SPECTRA:,} spectra of {COUNTS} counts appended one by one, fsync every {RECORDS} or {1000 * INTERVAL:g} ms "
        f"(seed {SEED}): median CPU time of one append, microseconds",
        f"{median:.1f}{'' if restored else ', NOT RESTORED'}",
        f"<= {MICROSECONDS:g}",
        restored and median <= MICROSECONDS,
        f"{1e6 * whole / SPECTRA:.1f} with sealing, compaction and fsync; {journal / SPECTRA:.0f} bytes a spectrum "
        f"while open, {compact / SPECTRA:.1f} when closed",
        {"median_us": median, "all_us": 1e6 * whole / SPECTRA, "bytes_per_spectrum": compact / SPECTRA},
    )
