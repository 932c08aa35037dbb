"""The colours of a report: the same phase has the same colour everywhere, told apart by colour-blind eyes too."""

import numpy as np
from numpy.typing import NDArray

PHASES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#5B4A8A")
"""Okabe and Ito's colour-blind-safe colours, and a dark violet."""

ILL = "#8A8A8A"
UNKNOWN = "#FFFFFF"
WRONG = "#B2182B"
INK = "#1B1F24"
FAINT_INK = "#6B7280"
HAIRLINE = "#D5D9DE"
OWN = "#0B3C5D"
HUE_TYPICAL = "#F0E442"


def phase_colour(label: int) -> str:
    """Return the colour of a phase 1..L."""
    return PHASES[(label - 1) % len(PHASES)]


def rgb(colour: str) -> NDArray[np.float64]:
    """Return a colour ``#RRGGBB`` as (3,) float64 from 0 to 1."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def paint(phase_map: NDArray[np.integer], ill: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Return a phase map (rows, columns) as colours, (rows, columns, 3) float64; ill pixels are grey."""
    table = np.array([rgb(UNKNOWN), *(rgb(phase_colour(label)) for label in range(1, int(phase_map.max()) + 1))])
    image: NDArray[np.float64] = table[np.maximum(phase_map, 0)]
    if ill is not None:
        image[ill] = rgb(ILL)
    return image
