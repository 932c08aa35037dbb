"""What measured counts shrink to, beside 7-bit groups compressed by zstd at its highest usual level."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from daisy_bluesky import lbj
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._lbj_peers import gaps_and_excess, varint_zstd

PATTERN = "e*.npz"
FEWEST_VALUES = 1000  # smaller arrays are axes and labels


def measure(data: Path) -> Iterator[Gate]:
    """Measure every file of spectra that holds counts, all its arrays together."""
    paths = sorted(data.glob(PATTERN))
    if not paths:
        yield Gate(f"measured counts: no files {data / PATTERN}", "skipped")
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            arrays = list(_counts(file))
        if arrays:
            yield _file(path.name, arrays)


def _file(name: str, arrays: list[NDArray[np.uint64]]) -> Gate:
    blobs = [lbj.dumps(array) for array in arrays]
    whole = all(np.array_equal(lbj.loads(blob), array) for blob, array in zip(blobs, arrays, strict=True))
    nbytes, found = sum(map(len, blobs)), sum(int(np.count_nonzero(array)) for array in arrays)
    peer = sum(varint_zstd(*gaps_and_excess(array), 19) for array in arrays)
    return Gate(
        f"{name}, {len(arrays)} arrays of {' x '.join(map(str, arrays[0].shape))}: bytes per non-zero voxel",
        f"{nbytes / found:.3f}{'' if whole else ', NOT RESTORED'}",
        "smaller than varint + zstd-19",
        whole and nbytes < peer,
        f"varint+zstd-19 {peer / found:.3f}",
        {"bytes_per_voxel": nbytes / found, "varint_zstd_19": peer / found},
    )


def _counts(file: "NpzFile[Any]") -> Iterator[NDArray[np.uint64]]:
    """Yield the arrays of counts: a coordinate list made dense, or arrays of whole numbers along channels."""
    if {"y", "x", "ch", "n", "shape"} <= set(file.files):
        cube = np.zeros(tuple(file["shape"]), np.uint64)
        np.add.at(cube, (file["y"], file["x"], file["ch"]), file["n"].astype(np.uint64))
        yield cube
        return
    for name in file.files:
        values = file[name]
        if values.dtype.kind in "iuf" and values.size >= FEWEST_VALUES and _are_counts(values):
            yield values.astype(np.uint64)


def _are_counts(values: NDArray[Any]) -> bool:
    return bool(values.min() >= 0 and values.max() < 2**53 and np.all(values == np.floor(values)) and values.max() > 0)
