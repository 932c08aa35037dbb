"""A file of one format as a file of another; one of the two is a listed-bin-journal, or both are."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from daisy_bluesky.lbj._exchange import Spectra, read_spectra, write_spectra
from daisy_bluesky.lbj._reader import Reader
from daisy_bluesky.lbj._writer import Writer

SUFFIX = ".lbj"


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    sigma: float | None = None,
    blocks: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Write the spectra of a file to a new file of another format, both told by their suffixes.

    Parameters
    ----------
    source, target : path
        .lbj, .npz, or with the extra ``formats`` .hspy or .zspy, and for `source` also .emd, .bcf, .spx, .dm3, .dm4,
        .pts, .asw, .eds and .msa. Of four axes or more, the first counts items.
    sigma, blocks
        As of `dumps`, where `target` is an .lbj.

    Raises
    ------
    FileExistsError
        If the target exists.
    ValueError
        If a format is not known, the source cannot be read, or the options do not fit.
    ModuleNotFoundError
        If a format needs the extra ``formats``.
    """
    origin, final = Path(source), Path(target)
    if final.exists():
        raise FileExistsError(f"{final} exists; name a new file")
    if final.suffix.lower() != SUFFIX and (sigma is not None or blocks):
        raise ValueError(f"sigma and blocks are for .lbj files, not {final.suffix!r}")
    spectra = _from_journal(origin, lossy=bool(sigma or blocks)) if origin.suffix.lower() == SUFFIX else None
    spectra = spectra or read_spectra(origin)

    def write(path: Path) -> None:
        if final.suffix.lower() == SUFFIX:
            _to_journal(path, spectra, sigma, blocks)
        else:
            write_spectra(path, spectra)

    _put(final, write)


def _put(final: Path, write: Callable[[Path], None]) -> None:
    """Write beside, then rename, so that nothing is left of what fails."""
    beside = final.with_name(f".part-{final.name}")
    try:
        write(beside)
        beside.rename(final)
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        beside.unlink(missing_ok=True)


def _from_journal(path: Path, *, lossy: bool) -> Spectra:
    with Reader(path) as reader:
        if lossy and reader.guarantee.kind != "exact":
            raise ValueError(f"{path} is not exact any more ({reader.guarantee.kind}); start from the original")
        if not len(reader):
            raise ValueError(f"{path} holds no items")
        items = list(reader[:]) if reader.shape else [reader[:] if len(reader) > 1 else reader[0]]
        shape = items[0].shape[:-1]
        return Spectra(shape, reader.channels, np.dtype(reader.dtype), dict(reader.metadata), items)


def _to_journal(path: Path, spectra: Spectra, sigma: float | None, blocks: Sequence[tuple[int, int]] | None) -> None:
    dtype = spectra.dtype
    if blocks and dtype.kind in "iu":
        dtype = np.dtype(np.float64 if dtype.itemsize > 2 else np.float32)
    with Writer(
        path,
        shape=spectra.shape,
        channels=spectra.channels,
        dtype=dtype,
        metadata=spectra.metadata,
        sigma=sigma,
        blocks=blocks,
    ) as writer:
        for number, item in enumerate(spectra.items, 1):
            as_events = item.dtype.names is not None and writer.header.dtype.kind in "iu"
            writer.append(number, item if as_events else spectra.array(item).astype(writer.header.dtype, copy=False))
