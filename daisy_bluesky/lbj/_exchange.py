"""Spectra from and to files of other formats: NumPy archives, and through the optional rosettasciio those of others."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

READERS = {
    ".hspy": "rsciio.hspy",
    ".zspy": "rsciio.zspy",
    ".emd": "rsciio.emd",
    ".bcf": "rsciio.bruker",
    ".spx": "rsciio.bruker",
    ".dm3": "rsciio.digitalmicrograph",
    ".dm4": "rsciio.digitalmicrograph",
    ".pts": "rsciio.jeol",
    ".asw": "rsciio.jeol",
    ".eds": "rsciio.jeol",
    ".msa": "rsciio.msa",
}
WRITERS = {".hspy": "rsciio.hspy", ".zspy": "rsciio.zspy"}
SUFFIXES = (".npz", *READERS)

_LISTS = ("y", "x", "ch", "n", "shape")
_NEWEST_ZARR = 2  # that .zspy files are read and written with
_LONGEST_REASON = 200
_SIGNAL_TYPES = {"keV": "EDS_TEM", "eV": "EELS"}
_EVENT = np.dtype([("row", np.int64), ("column", np.int64), ("channel", np.int64), ("count", np.int64)])


class Spectra(NamedTuple):
    """Items of one shape, as a file of another format holds them.

    Attributes
    ----------
    shape : tuple of int
        Of an item, before its channel axis.
    channels : int
    dtype : numpy.dtype
    metadata : dict
        ``offset``, ``dispersion`` and ``unit`` of the channel axis, where the file tells them.
    items : sequence of ndarray
        Arrays, (*shape, channels), or event lists.
    """

    shape: tuple[int, ...]
    channels: int
    dtype: np.dtype[Any]
    metadata: dict[str, Any]
    items: Sequence[NDArray[Any]]

    def dense(self) -> NDArray[Any]:
        """Return all items, (items, *shape, channels), or the only one without that axis."""
        stacked = np.stack([self.array(item) for item in self.items])
        return stacked[0] if len(stacked) == 1 else stacked

    def array(self, item: NDArray[Any]) -> NDArray[Any]:
        """Return an item as an array, (*shape, channels)."""
        if item.dtype.names is None:
            return item
        array = np.zeros((*self.shape, self.channels), self.dtype)
        np.add.at(array, (item["row"], item["column"], item["channel"]), item["count"].astype(self.dtype))
        return array


def read_spectra(path: Path) -> Spectra:
    """Return the spectra of a file; of several signals, those that are most.

    Raises
    ------
    ValueError
        If its format is not known, it cannot be read, or holds no spectra.
    ModuleNotFoundError
        If its format needs the extra ``formats``.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: unknown format {suffix!r}; use .lbj, {', '.join(SUFFIXES)}")
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        return _from_archive(path) if suffix == ".npz" else _from_signals(_plugin(READERS[suffix], suffix), path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def write_spectra(path: Path, spectra: Spectra) -> None:
    """Write spectra to a file that does not exist yet.

    Raises
    ------
    ValueError
        If its format is not known.
    ModuleNotFoundError
        If its format needs the extra ``formats``.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        with path.open("xb") as file:
            np.savez_compressed(file, **dict(_arrays(spectra)))  # type: ignore[arg-type]
    elif suffix in WRITERS:
        plugin, signal = _plugin(WRITERS[suffix], suffix), _signal(spectra)
        _asked(lambda: plugin.file_writer(str(path), signal), f"the writer of {suffix}", suffix)
    else:
        raise ValueError(f"{path}: cannot write {suffix!r}; use .lbj, .npz, {', '.join(WRITERS)}")


def _plugin(name: str, suffix: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{suffix} files need an optional package: pip install "daisy-bluesky[formats]"'
        ) from error


def _asked(ask: Callable[[], Any], who: str, suffix: str) -> Any:
    """Return what a plug-in returns; one line of ValueError whatever it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it uses itself
            return ask()
    except Exception as error:
        remedy = "copy the file again"
        if suffix == ".zspy" and int(version("zarr").partition(".")[0]) > _NEWEST_ZARR:
            remedy = 'it needs an older zarr: pip install "zarr<3", or use .hspy'
        reason = " ".join(str(error).split())
        raise ValueError(f"{who} gave up ({type(error).__name__}: {reason[:_LONGEST_REASON]}); {remedy}") from error


def _from_archive(path: Path) -> Spectra:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
    except Exception as error:  # a broken archive raises anything, from zlib.error to NotImplementedError
        raise ValueError("it is no .npz archive, or a truncated one; copy it again") from error
    metadata = _axis_of(content)
    if all(name in content for name in _LISTS):
        return _from_lists(content, metadata)
    if "data" not in content or content["data"].ndim < 1:
        raise ValueError(f"it holds neither the lists {', '.join(_LISTS)} nor an array data")
    return _from_array(content["data"], metadata)


def _from_lists(content: Mapping[str, NDArray[Any]], metadata: dict[str, Any]) -> Spectra:
    shape = content["shape"]
    lists = [content[name] for name in ("y", "x", "ch", "n")]
    if shape.dtype.kind not in "iu" or shape.shape != (3,) or len({each.shape for each in lists}) != 1:
        raise ValueError("its lists y, x, ch and n differ in length, or its shape is not (rows, columns, channels)")
    if any(each.dtype.kind not in "iu" or each.ndim != 1 for each in lists):
        raise ValueError("its lists y, x, ch and n are not whole numbers")
    rows, columns, channels = (int(length) for length in shape)
    events = np.empty(lists[0].size, _EVENT)
    for name, each in zip(_EVENT.names or (), lists, strict=True):
        events[name] = each
    return Spectra((rows, columns), channels, np.dtype(np.uint32), metadata, [events])


def _from_array(data: NDArray[Any], metadata: dict[str, Any]) -> Spectra:
    """Return an array as one item, or, from four axes on, as one item for each of the first."""
    items = list(data) if data.ndim > 3 else [data]
    dtype = data.dtype.newbyteorder("=")
    return Spectra(items[0].shape[:-1] if items else data.shape[1:-1], data.shape[-1], dtype, metadata, items)


def _axis_of(content: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    if not {"e_offset", "e_scale"} <= set(content):
        return {}
    offset, scale = (content[name] for name in ("e_offset", "e_scale"))
    if any(number.size != 1 or number.dtype.kind not in "iuf" for number in (offset, scale)):
        raise ValueError("its e_offset and e_scale must be one number each")
    unit = str(content["unit"]) if "unit" in content else "keV" if all(name in content for name in _LISTS) else "eV"
    return {"offset": float(offset.reshape(())), "dispersion": float(scale.reshape(())), "unit": unit}


def _arrays(spectra: Spectra) -> Iterator[tuple[str, NDArray[Any]]]:
    if {"offset", "dispersion"} <= set(spectra.metadata):
        yield "e_offset", np.array(float(spectra.metadata["offset"]))
        yield "e_scale", np.array(float(spectra.metadata["dispersion"]))
    if "unit" in spectra.metadata:
        yield "unit", np.asarray(str(spectra.metadata["unit"]))
    if spectra.dtype.kind in "iu" and len(spectra.items) == 1 and len(spectra.shape) == 2:
        data = spectra.dense()
        places = np.nonzero(data)
        yield from zip(("y", "x", "ch"), places, strict=True)
        yield "n", data[places]
        yield "shape", np.array(data.shape)
    else:
        yield "data", spectra.dense()


def _from_signals(plugin: Any, path: Path) -> Spectra:
    signals = _asked(lambda: plugin.file_reader(str(path)), "its reader", path.suffix.lower())
    spectra = [signal for signal in signals if len(_signal_axes(signal)) == 1 and np.size(signal["data"])]
    if not spectra:
        raise ValueError("it holds no spectra")
    signal = max(spectra, key=lambda each: np.size(each["data"]))
    (energy,) = _signal_axes(signal)
    data = np.moveaxis(np.asarray(signal["data"]), signal["axes"].index(energy), -1)
    metadata: dict[str, Any] = {}
    if "scale" in energy:
        metadata = {"offset": float(energy.get("offset", 0.0)), "dispersion": float(energy["scale"])}
        if isinstance(energy.get("units"), str):
            metadata["unit"] = energy["units"]
    return _from_array(data, metadata)


def _signal_axes(signal: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [axis for axis in signal["axes"] if not axis.get("navigate", False)]


def _signal(spectra: Spectra) -> dict[str, Any]:
    data = spectra.dense()
    unit = str(spectra.metadata.get("unit", ""))
    navigation = [
        {"name": name, "size": size, "navigate": True, "scale": 1.0, "offset": 0.0, "units": "px"}
        for name, size in zip(("frame", "y", "x")[-(data.ndim - 1) :], data.shape[:-1], strict=False)
    ]
    energy = {
        "name": "Energy" if unit == "keV" else "Energy loss",
        "size": data.shape[-1],
        "navigate": False,
        "scale": float(spectra.metadata.get("dispersion", 1.0)),
        "offset": float(spectra.metadata.get("offset", 0.0)),
        "units": unit,
    }
    title = {"title": "spectra", "original_filename": ""}
    return {
        "data": data,
        "axes": [*navigation, energy],
        "metadata": {"General": title, "Signal": {"signal_type": _SIGNAL_TYPES.get(unit, "")}},
        "original_metadata": {},
        "learning_results": {},
        "attributes": {"_lazy": False, "ragged": False},
        "models": {},
        "tmp_parameters": {},
        "package_info": {"package": "daisy-bluesky", "package_version": ""},
    }
