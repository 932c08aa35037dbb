"""What measured spectra shrink to, beside general compression at its highest usual level.

Counts are compared with 7-bit groups of gaps and counts compressed by zstd, other values with zstd of their shuffled
bytes and bits.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from daisy_bluesky import lbj
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._lbj_peers import gaps_and_excess, shuffled_zstd, varint_zstd

PATTERN = "e*.npz"
ORIGINALS = "originals"
FEWEST_VALUES = 1000  # smaller arrays are axes and labels
LEVEL = 19


def measure(data: Path) -> Iterator[Gate]:
    """Measure every file of spectra, all its arrays together."""
    paths = sorted(data.glob(PATTERN))
    if not paths:
        yield Gate(f"measured spectra: no files {data / PATTERN}", "skipped")
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            arrays = list(_spectra(file))
        yield from _file(path.name, arrays)
    for path in sorted((data / ORIGINALS).glob("*.*")):
        if find_spec("rsciio"):
            yield from _file(path.name, [_converted(path)])
        else:
            yield Gate(f"{path.name}: skipped, reading it needs the extra named formats", "-")


def _file(name: str, arrays: list[NDArray[Any]]) -> Iterator[Gate]:
    for kind, wanted in (("u", "varint + zstd-19"), ("f", "zstd-19, shuffled by bytes or bits")):
        some = [array for array in arrays if array.dtype.kind == kind]
        if not some:
            continue
        blobs = [lbj.dumps(array) for array in some]
        whole = all(lbj.loads(blob).tobytes() == array.tobytes() for blob, array in zip(blobs, some, strict=True))
        nbytes, peer = sum(map(len, blobs)), sum(map(_peer, some))
        found = sum(int(np.count_nonzero(array)) for array in some)
        yield Gate(
            f"{name}, {len(some)} arrays of {' x '.join(map(str, some[0].shape))}: bytes per non-zero voxel",
            f"{nbytes / found:.3f}{'' if whole else ', NOT RESTORED'}",
            f"smaller than {wanted}",
            whole and nbytes < peer,
            f"{wanted} {peer / found:.3f}",
            {"bytes_per_voxel": nbytes / found, "peer": peer / found},
        )


def _peer(array: NDArray[Any]) -> int:
    return shuffled_zstd(array, LEVEL) if array.dtype.kind == "f" else varint_zstd(*gaps_and_excess(array), LEVEL)


def _spectra(file: "NpzFile[Any]") -> Iterator[NDArray[Any]]:
    """Yield the arrays of spectra: a coordinate list made dense, or arrays along channels; counts as uint64."""
    if {"y", "x", "ch", "n", "shape"} <= set(file.files):
        cube = np.zeros(tuple(file["shape"]), np.uint64)
        np.add.at(cube, (file["y"], file["x"], file["ch"]), file["n"].astype(np.uint64))
        yield cube
        return
    for name in file.files:
        if file[name].dtype.kind in "iuf" and file[name].size >= FEWEST_VALUES:
            yield _counts_or_floats(file[name])


def _converted(path: Path) -> NDArray[Any]:
    """Return the spectra of a file of an instrument."""
    with TemporaryDirectory() as folder:
        lbj.convert(path, Path(folder) / "spectra.lbj")
        with lbj.Reader(Path(folder) / "spectra.lbj") as reader:
            return _counts_or_floats(reader[:])


def _counts_or_floats(values: NDArray[Any]) -> NDArray[Any]:
    whole = values.min() >= 0 and values.max() < 2**53 and np.all(values == np.floor(values))
    return values.astype(np.uint64) if whole else values
