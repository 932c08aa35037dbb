"""What the listed-bin-journal costs: CPU time and bytes of spectra appended one by one, and of a sparse frame.

Run with ``python benchmarks/lbj.py``; seeds are fixed, CPU time is of one thread.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from daisy_bluesky import lbj

CHANNELS = 2048
LINES = {0.52: 8, 1.74: 20, 2.3: 10, 6.4: 15, 7.05: 2.5, 8.04: 6, 8.9: 1}  # keV: height over the background


def expected_spectrum():
    energy = 0.01 * np.arange(CHANNELS)
    spectrum = 0.3 * np.exp(-energy / 6) * (1 - np.exp(-energy / 0.5))
    for line, height in LINES.items():
        spectrum += height * np.exp(-0.5 * ((energy - line) / (0.03 + 0.004 * line)) ** 2)
    return spectrum / spectrum.sum()


def cpu_time(function, *arguments):
    start = time.thread_time()
    result = function(*arguments)
    return result, time.thread_time() - start


def spectra_one_by_one(path, spectra):
    writer = lbj.Writer(path, channels=CHANNELS, dtype=spectra.dtype)
    seconds = [cpu_time(writer.append, n, spectrum)[1] for n, spectrum in enumerate(spectra)]
    size = writer.nbytes
    writer.close()
    with lbj.Reader(path) as reader:
        reader.window(0, 10)
        restored, reading = cpu_time(reader.window, 0, len(spectra))
    if not np.array_equal(restored, spectra):
        raise SystemExit("spectra were not restored")
    return 1e6 * np.median(seconds), size / len(spectra), spectra.nbytes / size, len(spectra) / reading


def main():
    rng = np.random.default_rng(0)
    expected = expected_spectrum()
    print(f"{'2,048 channels':28}{'append/us':>10}{'bytes':>8}{'ratio':>8}{'read/s':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for counts in (50, 300, 1000, 7500, 30000):
            spectra = rng.poisson(counts * expected, (4000, CHANNELS)).astype(np.uint32)
            figures = spectra_one_by_one(Path(folder) / f"{counts}.lbj", spectra)
            print(f"EDS uint32, {counts:>6} counts".ljust(28) + "{:10.1f}{:8.0f}{:8.1f}{:9.0f}".format(*figures))
        spectra = rng.normal(100, 10, (1000, CHANNELS)).astype(np.float32)
        figures = spectra_one_by_one(Path(folder) / "eels.lbj", spectra)
        print("EELS float32, noise".ljust(28) + "{:10.1f}{:8.0f}{:8.1f}{:9.0f}".format(*figures))
    cube = rng.poisson(0.0004 * CHANNELS * np.broadcast_to(expected, (200, 200, CHANNELS))).astype(np.int32)
    blob, _ = cpu_time(lbj.dumps, cube)
    blob, writing = cpu_time(lbj.dumps, cube)
    print(
        f"cube 200x200x2048 int32, 0.04% occupied: ratio {cube.nbytes / len(blob):.0f}, "
        f"{len(blob) / np.count_nonzero(cube):.2f} bytes per non-zero, {cube.nbytes / writing / 1e9:.1f} GB/s"
    )


if __name__ == "__main__":
    main()
