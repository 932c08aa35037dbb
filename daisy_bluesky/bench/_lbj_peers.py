"""What else a user could pick to store counts, as far as it is installed."""

import tempfile
import zlib
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

OPTIONAL = ("blosc2", "h5py", "zarr", "pcodec")


def dense_peers() -> dict[str, Callable[[NDArray[Any]], int]]:
    """Return what compresses dense arrays to how many bytes, by name; optional libraries only where installed."""
    peers: dict[str, Callable[[NDArray[Any]], int]] = {
        "zip": lambda values: len(zlib.compress(values.tobytes(), 6)),
        "zstd-3": lambda values: len(zstandard.ZstdCompressor(3).compress(values.tobytes())),
        "zstd-19": lambda values: len(zstandard.ZstdCompressor(19).compress(values.tobytes())),
    }
    optional = {"blosc2": ("blosc2", _blosc2), "h5py": ("HDF5 gzip", _hdf5), "zarr": ("zarr", _zarr)}
    return peers | {name: function for module, (name, function) in optional.items() if find_spec(module)}


def list_peers() -> dict[str, Callable[[NDArray[np.uint64], NDArray[np.uint64]], int]]:
    """Return what compresses gaps and counts - 1 to how many bytes, by name."""
    peers: dict[str, Callable[[NDArray[np.uint64], NDArray[np.uint64]], int]] = {
        "varint+zstd-3": lambda gaps, excess: varint_zstd(gaps, excess, 3),
        "varint+zstd-19": lambda gaps, excess: varint_zstd(gaps, excess, 19),
    }
    return peers | ({"pcodec on gaps": _pcodec} if find_spec("pcodec") else {})


def absent() -> str:
    """Return which peers are not installed, in words."""
    names = [name for name in OPTIONAL if not find_spec(name)]
    return f"; not installed: {', '.join(names)}" if names else ""


def gaps_and_excess(values: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return zeros before each non-zero, and its count - 1, of an array in C order."""
    flat = values.reshape(-1)
    places = np.flatnonzero(flat)
    return (np.diff(places, prepend=-1) - 1).astype(np.uint64), flat[places].astype(np.uint64) - np.uint64(1)


def varint_zstd(gaps: NDArray[np.uint64], excess: NDArray[np.uint64], level: int) -> int:
    """Return the bytes of gaps and counts as 7-bit groups, in turn or one behind the other, compressed by zstd."""
    compressor = zstandard.ZstdCompressor(level)
    in_turn = np.stack([gaps, excess], axis=1).reshape(-1)
    behind = np.concatenate([gaps, excess])
    return min(len(compressor.compress(_groups(numbers))) for numbers in (in_turn, behind))


def shuffled_zstd(values: NDArray[Any], level: int) -> int:
    """Return the bytes of an array compressed by zstd: as it is, by bytes or by bits of its values, the fewest."""
    octets = np.ascontiguousarray(values).reshape(-1).view(np.uint8).reshape(-1, values.itemsize)
    bits = np.packbits(np.unpackbits(octets, axis=1).T)
    compressor = zstandard.ZstdCompressor(level)
    return min(len(compressor.compress(part.tobytes())) for part in (octets, octets.T, bits))


def _groups(numbers: NDArray[np.uint64]) -> bytes:
    shifts = np.arange(0, 70, 7, dtype=np.uint64)[: max(1, -(-int(numbers.max(initial=1)).bit_length() // 7))]
    groups = (numbers[:, None] >> shifts) & np.uint64(127)
    more = (numbers[:, None] >> shifts) >> np.uint64(7) > 0
    used = np.column_stack([np.ones(numbers.size, bool), more[:, :-1]])
    return bytes((groups | (more.astype(np.uint64) << np.uint64(7))).astype(np.uint8)[used].tobytes())


def _blosc2(values: NDArray[Any]) -> int:
    import blosc2  # type: ignore[import-untyped,unused-ignore]

    return len(
        blosc2.compress2(
            values,
            typesize=values.itemsize,
            clevel=9,
            codec=blosc2.Codec.ZSTD,
            filters=[blosc2.Filter.BITSHUFFLE],
        )
    )


def _hdf5(values: NDArray[Any]) -> int:
    import h5py  # type: ignore[import-untyped,unused-ignore]

    with h5py.File("counts", "w", driver="core", backing_store=False) as file:
        dataset = file.create_dataset("counts", data=values, chunks=True, compression="gzip")
        return int(dataset.id.get_storage_size())


def _zarr(values: NDArray[Any]) -> int:
    zarr: Any = import_module("zarr")

    with tempfile.TemporaryDirectory() as folder:
        array: Any = zarr.open(folder, mode="w", shape=values.shape, dtype=values.dtype)
        array[:] = values
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def _pcodec(gaps: NDArray[np.uint64], excess: NDArray[np.uint64]) -> int:
    pcodec: Any = import_module("pcodec")

    parts = (gaps.astype(np.uint32), excess.astype(np.uint32))
    return sum(len(pcodec.standalone.simple_compress(part, pcodec.ChunkConfig())) for part in parts)
