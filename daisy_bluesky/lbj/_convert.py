"""A file of one format as a file of another; one of the two is a listed-bin-journal, or both are."""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from daisy_bluesky.lbj._beside import written_beside
from daisy_bluesky.lbj._coded import EVENTS_PER_TILE
from daisy_bluesky.lbj._compact import write_rows
from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._exchange import check_target, read_spectra, write_spectra
from daisy_bluesky.lbj._exchanged import Spectra
from daisy_bluesky.lbj._reader import Reader
from daisy_bluesky.lbj._source import opened_source
from daisy_bluesky.lbj._writer import Writer

SUFFIX = ".lbj"

Blocks = Sequence[tuple[int, int]] | None


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    sigma: float | None = None,
    blocks: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Write the spectra of a file to a new file of another format, both told by their suffixes.

    From .lbj to .lbj without `sigma` and `blocks`, all is kept as it is: items, their sequence numbers, references,
    metadata, and what the file promises of its values; small items of a lossy file that were not coded together yet
    are coded now, as it promises.

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
        If a format is not known, the source cannot be read or is not exact any more, or the options do not fit.
    ModuleNotFoundError
        If a format needs the extra ``formats``.
    """
    origin, final = Path(source), Path(target)
    lossy = sigma is not None or bool(blocks)
    to_journal, from_journal = (path.suffix.lower() == SUFFIX for path in (final, origin))
    if not to_journal:
        check_target(final)
        if lossy:
            raise ValueError(f"sigma and blocks are for .lbj files, not {final.suffix!r}")
    with written_beside(final) as beside:
        if from_journal and to_journal and not lossy:
            _copy(origin, beside)
        elif from_journal and to_journal:
            _coarsen(origin, beside, sigma, blocks)
        elif to_journal:
            _to_journal(beside, read_spectra(origin), sigma, blocks)
        else:
            write_spectra(beside, _from_journal(origin) if from_journal else read_spectra(origin))


def _copy(origin: Path, beside: Path) -> None:
    with closing(opened_source(origin)) as source:
        contents = Contents(source)
        write_rows(source, contents, contents.rows, beside, EVENTS_PER_TILE)


def _coarsen(origin: Path, beside: Path, sigma: float | None, blocks: Blocks) -> None:
    """Write the items of an exact journal, corrected by its references, to one that is not exact."""
    with Reader(origin) as reader:
        if reader.guarantee.kind != "exact":
            raise ValueError(f"{origin} is not exact any more ({reader.guarantee.kind}); start from the original")
        dtype = _coarse_dtype(reader.dtype, sigma, blocks)
        with Writer(
            beside,
            shape=reader.shape,
            channels=reader.channels,
            dtype=dtype,
            metadata=reader.metadata,
            sigma=sigma,
            blocks=blocks,
        ) as writer:
            for row, number in enumerate(reader.seq_nums.tolist()):
                writer.append(number, reader[row].astype(writer.header.dtype, copy=False))


def _from_journal(path: Path) -> Spectra:
    with Reader(path) as reader:
        if not len(reader):
            raise ValueError(f"{path} holds no items")
        items = list(reader[:]) if reader.shape else [reader[:] if len(reader) > 1 else reader[0]]
        shape = items[0].shape[:-1]
        return Spectra(shape, reader.channels, np.dtype(reader.dtype), dict(reader.metadata), items)


def _to_journal(path: Path, spectra: Spectra, sigma: float | None, blocks: Blocks) -> None:
    with Writer(
        path,
        shape=spectra.shape,
        channels=spectra.channels,
        dtype=_coarse_dtype(spectra.dtype, sigma, blocks),
        metadata=spectra.metadata,
        sigma=sigma,
        blocks=blocks,
    ) as writer:
        for number, item in enumerate(spectra.items, 1):
            as_events = item.dtype.names is not None and writer.header.dtype.kind in "iu"
            writer.append(number, item if as_events else spectra.array(item).astype(writer.header.dtype, copy=False))


def _coarse_dtype(dtype: "np.dtype[np.generic]", sigma: float | None, blocks: Blocks) -> "np.dtype[np.generic]":
    """Return the type to open the writer with, which for averages is a float."""
    if dtype.kind == "b" and (sigma is not None or blocks):
        raise ValueError("sigma and blocks are for spectra of numbers, not of truth values; leave them out")
    if blocks and dtype.kind in "iu":
        return np.dtype(np.float64 if dtype.itemsize > 2 else np.float32)
    return dtype
