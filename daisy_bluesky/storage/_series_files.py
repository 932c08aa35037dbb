"""A processed series as plain files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj import Writer
from daisy_bluesky.mfsi import ProcessedSeries, SeriesFrames, SpectrumSum
from daisy_bluesky.spectra import EnergyAxis

ARRAYS, EDS, EELS = "results.npz", "eds-sum.lbj", "eels-sum.lbj"
MOTIF_EDS, MOTIF_EELS = "motif-eds.lbj", "motif-eels.lbj"


def write_series(folder: Path | str, done: ProcessedSeries, frames: SeriesFrames, *, sums: bool = True) -> list[Path]:
    """Write what a series shows: arrays, images and maps as 32-bit TIFF, sums as LBJ.

    Parameters
    ----------
    folder : path-like
        Where to write; it exists. Files of the same names are replaced.
    done : ProcessedSeries
        What the series shows.
    frames : SeriesFrames
        What it was made of.
    sums : bool, optional
        Whether to write the summed spectrum images, those of the motif included.

    Returns
    -------
    list of Path
        What was written.
    """
    target = Path(folder)
    arrays = dict(_arrays(done))
    np.savez_compressed(target / ARRAYS, **arrays)  # type: ignore[arg-type]
    written = [target / ARRAYS]
    for name, image in _images(done):
        written.append(target / f"{name}.tif")
        _write_tiff(written[-1], image)
    if sums:
        written += _write_sums(target, done, frames)
    return written


def _write_sums(folder: Path, done: ProcessedSeries, frames: SeriesFrames) -> Iterator[Path]:
    motif = done.motif
    if done.events is not None and frames.eds_axis is not None:
        yield _write_events(folder / EDS, done.events.counted, frames.eds_axis)
        if motif is not None and motif.events is not None:
            yield _write_events(folder / MOTIF_EDS, motif.events, frames.eds_axis)
    if done.spectra is not None and frames.eels_axis is not None:
        yield _write_spectra(folder / EELS, done.spectra.total.volume(), frames.eels_axis)
        if motif is not None and motif.spectra is not None:
            yield _write_spectra(folder / MOTIF_EELS, motif.spectra, frames.eels_axis)


def _arrays(done: ProcessedSeries) -> Iterator[tuple[str, NDArray[Any]]]:
    used = done.placement.used
    yield "image", done.image
    yield "image_exposure", done.exposure
    yield "frames", np.array(used)
    yield "shifts", np.array([done.placement.displacement(number).mean(axis=(0, 1)) for number in used])
    for kind, maps in (("single", done.single), ("native", done.native), ("map", done.maps)):
        for name, one in maps.items():
            yield f"{kind} {name}", one.net
            yield f"{kind} {name} variance", one.variance
            yield f"{kind} {name} exposure", one.exposure
    for area, registration in done.placement.registrations.items():
        for name, value in registration.to_arrays().items():
            yield f"registration {area} {name}", value
    if done.motif is not None:
        repeats = done.motif.repeats
        yield "motif image", done.motif.image
        yield "motif positions", repeats.positions
        yield "motif deviations", repeats.deviations
        yield "motif outliers", repeats.outliers
        for name, one in done.motif.maps.items():
            yield f"motif {name}", one.net
            yield f"motif {name} variance", one.variance


def _images(done: ProcessedSeries) -> Iterator[tuple[str, NDArray[np.float64]]]:
    yield "image", done.image
    for name, one in done.maps.items():
        yield f"map-{name.replace(' ', '-')}", one.rate
    if done.motif is not None:
        yield "motif-image", done.motif.image
        for name, picture in done.motif.pictures.items():
            yield f"motif-{name.replace(' ', '-')}", picture


def _write_tiff(path: Path, image: NDArray[np.float64]) -> None:
    from PIL import Image

    Image.fromarray(image.astype(np.float32)).save(path, compression="tiff_deflate")


def _write_events(path: Path, total: SpectrumSum, axis: EnergyAxis) -> Path:
    about = {"offset": axis.offset, "dispersion": axis.dispersion, "unit": axis.unit, "upsample": total.upsample}
    path.unlink(missing_ok=True)
    shape = total.exposure.shape
    with Writer(path, shape=(shape[0], shape[1]), channels=axis.channels, metadata=about) as writer:
        writer.append(1, total.events())
    return path


def _write_spectra(path: Path, spectra: NDArray[np.float32], axis: EnergyAxis) -> Path:
    about = {"offset": axis.offset, "dispersion": axis.dispersion, "unit": axis.unit}
    path.unlink(missing_ok=True)
    rows, columns, channels = spectra.shape
    with Writer(path, shape=(rows, columns), channels=channels, dtype=np.float32, metadata=about) as writer:
        writer.append(1, spectra)
    return path
