"""The maps of lines and edges that a run with objectives has stored, as numbers and as a picture."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from event_model import unpack_event_page
from numpy.typing import NDArray

from daisy_bluesky.report._run import Document, documents_of

END = "_map"
VARIANCE = "_map_variance"
OF_PHASES = "phase_map"
COLUMN_INCHES, ROW_INCHES = 3.2, 3.4


class ElementMap(NamedTuple):
    """A map and how far it can be believed.

    Attributes
    ----------
    image, deviation : (rows, columns) float64
        Net counts per second, and their standard deviation.
    """

    image: NDArray[np.float64]
    deviation: NDArray[np.float64]


def element_maps(run: Iterable[Document] | Any) -> dict[str, ElementMap]:
    """Return the maps of lines and edges of a run, by name, such as ``"B K"``.

    Parameters
    ----------
    run : iterable of (name, document), or an object with a method ``documents`` that returns one
        Payloads inline, read once.

    Raises
    ------
    ValueError
        The run has stored none.
    """
    streams: dict[str, str] = {}
    maps: dict[str, ElementMap] = {}
    for name, document in documents_of(run):
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name in ("event", "event_page") and streams[document["descriptor"]] == "result":
            events = [document] if name == "event" else unpack_event_page(document)  # type: ignore[arg-type]
            for event in events:
                maps |= _maps(event["data"])
    if not maps:
        raise ValueError("the run has stored no map of a line or edge; measure it with objectives, such as 'Ti Ka'")
    return maps


def _maps(data: Mapping[str, Any]) -> dict[str, ElementMap]:
    keys = [key for key in data if key.endswith(END) and key != OF_PHASES]
    return {
        key.removesuffix(END).replace("_", " "): ElementMap(
            np.asarray(data[key], np.float64),
            np.sqrt(np.asarray(data[key.removesuffix(END) + VARIANCE], np.float64)),
        )
        for key in keys
    }


def draw_element_maps(
    path: str | Path,
    maps: Mapping[str, ElementMap],
    beside: Mapping[str, Mapping[str, NDArray[np.float64]]] | None = None,
) -> Path:
    """Draw maps of lines and edges with their standard deviations, and others beside them on the same scale of grey.

    Parameters
    ----------
    path : path-like
        Where to write the picture.
    maps : mapping of str to ElementMap
        The maps of `element_maps`; one column each.
    beside : mapping of str to mapping of str to (rows, columns) ndarray, optional
        By title, a row each: the same quantities, by name, from elsewhere, such as a raster of the same electrons.

    Returns
    -------
    Path
        The picture.
    """
    from matplotlib.figure import Figure

    rivals = dict(beside or {})
    rows = 2 + len(rivals)
    figure = Figure(figsize=(COLUMN_INCHES * len(maps), ROW_INCHES * rows), layout="constrained")
    axes = figure.subplots(rows, len(maps), squeeze=False)
    for column, (name, found) in enumerate(maps.items()):
        span: dict[str, Any] = {"vmin": float(found.image.min()), "vmax": float(found.image.max()), "cmap": "gray"}
        images = [(f"{name}, counts/s", found.image, span), ("standard deviation", found.deviation, {"cmap": "gray"})]
        images += [(f"{name}: {title}", of[name], span) for title, of in rivals.items() if name in of]
        for place, (title, image, options) in zip(axes[:, column], images, strict=False):
            drawn = place.imshow(image, interpolation="nearest", **options)
            place.set_title(title, loc="left", fontsize=9)
            figure.colorbar(drawn, ax=place, shrink=0.8)
        for place in axes[:, column]:
            place.set_axis_off()
    figure.savefig(path, dpi=150)
    return Path(path)
