"""Recorded spectrum images as coordinate lists in .npz files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._recording import Recording, energy_axis, gather, nanometres

REQUIRED = ("y", "x", "ch", "n", "shape", "e_offset", "e_scale")
IMAGE_PREFIX = "img"


def read_coordinate_lists(path: Path) -> Recording:
    """Read a spectrum image stored as coordinate lists.

    Parameters
    ----------
    path : Path
        An .npz file with ``y, x, ch`` (entries,) and counts ``n``, ``shape`` (rows, columns, channels), ``e_offset``
        and ``e_scale`` in keV; optionally ``px`` and ``px_units``, ``dwell`` (s per pixel), ``elements``, and survey
        images ``img_NAME`` or ``img0_NAME`` (rows, columns).

    Returns
    -------
    Recording
        What the file holds.

    Raises
    ------
    ValueError
        If the file cannot be read as such; the message says what is wrong with it, without its name.
    """
    try:
        # Opened here, because np.load leaves the file open where an archive is broken.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
    except Exception as error:  # a broken archive raises anything, from zlib.error to NotImplementedError
        raise ValueError(
            "it is no .npz archive, or a truncated one; copy it again, or store the coordinate lists anew"
        ) from error
    missing = [name for name in REQUIRED if name not in content]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}; a spectrum image needs the arrays {', '.join(REQUIRED)}")
    return _recording(content)


def _recording(content: dict[str, NDArray[Any]]) -> Recording:
    y, x, channel, n = (_integers(name, content[name]) for name in ("y", "x", "ch", "n"))
    if not y.size == x.size == channel.size == n.size:
        raise ValueError("its lists y, x, ch and n differ in length; store them anew")
    sizes = _integers("shape", content["shape"])
    if sizes.size != 3:
        raise ValueError(f"its shape {sizes.tolist()} is not (rows, columns, channels)")
    rows, columns, channels = (int(size) for size in sizes)
    if x.size and not 0 <= x.min() <= x.max() < columns:
        raise ValueError(f"some x lie outside its {columns} columns")
    return Recording(
        shape=(rows, columns),
        axis=energy_axis(_number("e_offset", content), _number("e_scale", content), channels),
        counts=gather((rows, columns, channels), y * columns + x, channel, n),
        images=_images(content, (rows, columns)),
        pixel_size=nanometres(_number("px", content), str(content.get("px_units", ""))) if "px" in content else None,
        dwell=_number("dwell", content) if "dwell" in content else None,
        elements=tuple(str(element) for element in np.atleast_1d(content.get("elements", []))),
    )


def _integers(name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise ValueError(f"its {name} is {values.dtype} with {values.ndim} axes; it must be one list of integers")
    return values.astype(np.int64)


def _number(name: str, content: dict[str, NDArray[Any]]) -> float:
    value = content[name]
    if value.size != 1 or value.dtype.kind not in "iuf":
        raise ValueError(f"its {name} must be one number")
    return float(value.reshape(()))


def _images(content: dict[str, NDArray[Any]], shape: tuple[int, int]) -> dict[str, NDArray[np.float64]]:
    return {
        key.partition("_")[2]: image.astype(np.float64)
        for key, image in content.items()
        if key.startswith(IMAGE_PREFIX) and image.shape == shape and image.dtype.kind in "iuf"
    }
