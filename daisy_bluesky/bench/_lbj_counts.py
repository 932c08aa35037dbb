"""What frames of counts shrink to, and how fast, beside the floor and what else a user could pick."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import thread_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky import lbj
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._lbj_cube import SHAPE, Cube
from daisy_bluesky.bench._lbj_peers import absent, dense_peers, gaps_and_excess, list_peers

SEED = 0
SIZES = {0.00008: 1.80, 0.0004: 1.38, 0.004: 0.94, 0.04: 0.60}
SPEEDS = {0.00008: 2.0, 0.0004: 2.0, 0.004: 2.0, 0.04: 1.0}
EVENTS_PER_SECOND = 20e6
WINDOW = slice(600, 640)
FRAMES, FRAMES_WANTED = 230, 1.36
ACQUIRED, ACQUIRED_WANTED = 0.15, 1.03
_READ = 7  # frames
_PART = 20  # one in so many pixels goes to the peers that take dense arrays, which are slow


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - simulated
    """Measure sizes and speeds of single frames, of a series, and of a partly acquired frame."""
    for occupied in SIZES:
        yield from _frame(occupied)
    yield _series()
    yield _partly_acquired()


def _frame(occupied: float) -> Iterator[Gate]:
    cube = Cube.draw(occupied, SEED)
    dense = cube.dense()
    values, found = dense.reshape(*SHAPE, -1), int(np.count_nonzero(dense))
    lbj.dumps(values[:2])
    blob, writing = _fastest(lambda: lbj.dumps(values))
    if not np.array_equal(lbj.loads(blob), values):
        raise ValueError(f"a frame of {occupied:.3%} was not restored; the codec is broken")
    size, wanted = len(blob) / found, SIZES[occupied]
    name = f"{SHAPE[0]} x {SHAPE[1]} x {cube.mean.size:,} counts, {occupied:.3%} not zero (seed {SEED})"
    yield Gate(
        f"{name}: bytes per non-zero voxel",
        f"{size:.3f} ({dense.nbytes / len(blob):,.0f} x smaller than int32)",
        f"<= {wanted:.2f}",
        size <= wanted,
        f"floor {cube.floor / found:.3f}; {_peers(dense, found)}{absent()}",
        {"bytes_per_voxel": size, "floor": cube.floor / found, "ratio": dense.nbytes / len(blob)},
    )
    speed = dense.nbytes / writing / 1e9
    yield Gate(
        f"{name}: encoded with scan, GB/s of dense int32 on one core",
        f"{speed:.1f}",
        f">= {SPEEDS[occupied]:g}",
        speed >= SPEEDS[occupied],
        f"numpy.flatnonzero alone {dense.nbytes / _fastest(lambda: np.flatnonzero(dense))[1] / 1e9:.1f}",
        {"GB_per_s": speed},
    )
    yield from _reading(name, values, found)


def _reading(name: str, values: NDArray[np.int32], found: int) -> Iterator[Gate]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.lbj"
        with lbj.Writer(path, shape=SHAPE, channels=values.shape[-1], dtype=values.dtype) as writer:
            for frame in range(_READ):
                writer.append(frame, values)
        whole, window = (_fastest_read(path, channels) for channels in (slice(None), WINDOW))
    yield Gate(
        f"{name}: decoded to events, million a second on one core",
        f"{found / whole / 1e6:.0f}",
        f">= {EVENTS_PER_SECOND / 1e6:g}",
        found / whole >= EVENTS_PER_SECOND,
        f"{1000 * whole:.2f} ms",
        {"events_per_s": found / whole},
    )
    yield Gate(
        f"{name}: one energy window of {WINDOW.stop - WINDOW.start} channels, share of a full decode",
        f"{window / whole:.3f}",
        "<= 0.1",
        window / whole <= 0.1,
        f"{1000 * window:.2f} ms of {1000 * whole:.2f} ms",
        {"share": window / whole},
    )


def _series() -> Gate:
    found = floor = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.lbj"
        writing = 0.0
        with lbj.Writer(path, shape=SHAPE, channels=2048) as writer:
            for frame in range(FRAMES):
                cube = Cube.draw(0.0004, SEED + frame)
                found += np.unique(cube.pixels * cube.mean.size + cube.channels).size
                floor += cube.floor
                events = cube.events(SHAPE[1])
                began = thread_time()
                writer.append(frame + 1, events)
                writing += thread_time() - began
        nbytes = path.stat().st_size
    size = nbytes / found
    return Gate(
        f"{FRAMES} frames of {SHAPE[0]} x {SHAPE[1]} x 2,048, 0.04% not zero, in one file (seeds {SEED} to "
        f"{SEED + FRAMES - 1}): bytes per non-zero voxel, framing and models included",
        f"{size:.3f} ({nbytes / 1e6:.1f} MB)",
        f"<= {FRAMES_WANTED:.2f}",
        size <= FRAMES_WANTED,
        f"floor {floor / found:.3f}; {1000 * writing / FRAMES:.1f} ms CPU to append a frame's photons",
        {"bytes_per_voxel": size, "floor": floor / found},
    )


def _partly_acquired() -> Gate:
    pixels = int(ACQUIRED * SHAPE[0] * SHAPE[1])
    cube = Cube.draw(0.004, SEED, pixels)
    dense = cube.dense().astype(np.uint32)
    found = int(np.count_nonzero(dense))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spectra.lbj"
        with lbj.Writer(path, channels=dense.shape[1]) as writer:
            for seq_num, spectrum in enumerate(dense, 1):
                writer.append(seq_num, spectrum)
        with lbj.Reader(path) as reader:
            whole = np.array_equal(reader[:], dense)
        nbytes = path.stat().st_size
    frame = np.zeros((SHAPE[0] * SHAPE[1], dense.shape[1]), np.uint32)
    frame[np.sort(np.random.default_rng(SEED).choice(len(frame), pixels, replace=False))] = dense
    peers = {name: peer(*gaps_and_excess(frame)) / found for name, peer in list_peers().items()}
    return Gate(
        f"{ACQUIRED:.0%} of the pixels acquired one by one, 0.4% of their voxels not zero (seed {SEED}): bytes per "
        "non-zero voxel, positions excluded",
        f"{nbytes / found:.3f}{'' if whole else ', NOT RESTORED'}",
        f"<= {ACQUIRED_WANTED:.2f}",
        whole and nbytes / found <= ACQUIRED_WANTED,
        f"floor {cube.floor / found:.3f}; as a frame with its positions: {_listed(peers)}",
        {"bytes_per_voxel": nbytes / found, "floor": cube.floor / found},
    )


def _peers(dense: NDArray[np.int32], found: int) -> str:
    sizes = {name: peer(*gaps_and_excess(dense)) / found for name, peer in list_peers().items()}
    part = np.ascontiguousarray(dense[: len(dense) // _PART])
    some = int(np.count_nonzero(part))
    return _listed(sizes | {f"{name} (of dense)": peer(part) / some for name, peer in dense_peers().items()})


def _listed(sizes: dict[str, float]) -> str:
    return ", ".join(f"{name} {size:.2f}" for name, size in sizes.items())


def _fastest(function: Callable[[], Any], times: int = 3) -> tuple[Any, float]:
    seconds = []
    for _ in range(times):
        began = thread_time()
        result = function()
        seconds.append(thread_time() - began)
    return result, min(seconds)


def _fastest_read(path: Path, channels: slice) -> float:
    """Return the CPU time of reading a frame that was not read before, of an open file, s."""
    with lbj.Reader(path) as reader:
        return min(_fastest(partial(reader.events, frame, channels=channels), 1)[1] for frame in range(_READ))
