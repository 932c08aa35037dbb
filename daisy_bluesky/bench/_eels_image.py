"""A simulated EELS spectrum image of a perovskite at atomic resolution, with edges nobody foresaw in a few pixels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen import EELSCamera, EELSModel, Phase
from daisy_bluesky.spectra import EnergyAxis

SHAPE = (60, 94)
CHANNELS = 2048
AXIS = EnergyAxis(280.0, 0.5, CHANNELS, "eV")
ELECTRONS = 2.8e4
CAMERA = EELSCamera(gain=6.5, gain_spread=0.5, read_noise=6.0)
"""zip makes the image 2.7 times smaller, as it does the file of the paper."""
LATTICE = 5.8
"""Pixels per unit cell."""
COLUMN = 1.2
"""Standard deviation of an atomic column, pixels."""
BLOCKS = (
    *((0, 31), (124, 2), (184, 32), (344, 1), (404, 31), (496, 2)),
    *((556, 30), (1384, 2), (1464, 34)),
)
"""Ti L exact; Ca L, O K and Nd M at every second channel; backgrounds at about every 30th."""

EDGES = tuple(range(700, 1340, 80))
"""First channels of the unforeseen edges."""
EDGE_PIXELS = 12
WINDOW = 40
"""Channels of an edge, and of the background before it."""
SIGNIFICANCE = 4.0


class Edge(NamedTuple):
    """An edge in a few pixels.

    Attributes
    ----------
    channel : int
        Where it begins.
    pixels : (EDGE_PIXELS,) int64
        Row-major.
    """

    channel: int
    pixels: NDArray[np.int64]


class EELSImage(NamedTuple):
    """A spectrum image and the truth behind it.

    Attributes
    ----------
    values : (rows, columns, channels) float32
        Whole digital counts.
    sigma : (rows, columns, channels) float64
        Standard deviation of each.
    dark : (channels,) float32
        A dark reference.
    edges : tuple of Edge
    """

    values: NDArray[np.float32]
    sigma: NDArray[np.float64]
    dark: NDArray[np.float32]
    edges: tuple[Edge, ...]


def simulated(seed: int) -> EELSImage:
    """Return the image that the camera records."""
    rng = np.random.default_rng(seed)
    phases = (
        Phase("A site", {"Nd": 0.6, "Ca": 0.1, "O": 1.0}, 6.0, 30.0),
        Phase("B site", {"Ti": 1.0, "O": 1.0}, 5.0, 30.0),
        Phase("between", {"O": 1.0, "Ti": 0.2, "Ca": 0.05}, 3.0, 30.0),
    )
    model = EELSModel(phases, axis=AXIS, beam_energy=60.0, convergence_angle=31.0, collection_angle=48.0)
    shares = np.stack([_columns(0.0), _columns(LATTICE / 2), np.full(SHAPE, 0.4)], axis=-1)
    expected = (shares / shares.sum(axis=-1, keepdims=True)).reshape(-1, len(phases)) @ model.expected
    expected *= ELECTRONS / expected.sum(axis=1).mean()
    edges = tuple(_add_edge(expected, channel, rng) for channel in EDGES)
    expected = expected.reshape(*SHAPE, CHANNELS)
    variance = CAMERA.gain**2 * (1 + CAMERA.gain_spread**2) * expected + CAMERA.read_noise**2 + 1 / 12
    values = CAMERA.read(expected.reshape(-1), rng).reshape(expected.shape)
    return EELSImage(values, np.sqrt(variance), rng.normal(100, 3, CHANNELS).astype(np.float32), edges)


def gain_corrected(image: EELSImage, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the image less a dark reference, times a gain, (rows, columns, channels), and the gain, (channels,)."""
    gain = (1 + 0.05 * np.random.default_rng(seed + 1).standard_normal(CHANNELS)).astype(np.float32)
    return (image.values - image.dark % 1) * gain, gain


def window_sums(values: NDArray[np.floating], channel: int, *, absolute: bool = False) -> NDArray[np.float64]:
    """Return the counts of an edge less those of the background before it, (pixels,); their sum where `absolute`."""
    flat = values.reshape(-1, values.shape[-1])
    edge = flat[:, channel : channel + WINDOW].sum(axis=1, dtype=np.float64)
    before = flat[:, channel - WINDOW : channel].sum(axis=1, dtype=np.float64)
    return np.asarray(edge + before if absolute else edge - before)


def _columns(offset: float) -> NDArray[np.float64]:
    row, column = ((axis - offset + LATTICE / 2) % LATTICE - LATTICE / 2 for axis in np.mgrid[: SHAPE[0], : SHAPE[1]])
    return np.asarray(np.exp(-(row**2 + column**2) / (2 * COLUMN**2)))


def _add_edge(expected: NDArray[np.float64], channel: int, rng: np.random.Generator) -> Edge:
    pixels = np.sort(rng.choice(len(expected), EDGE_PIXELS, replace=False))
    here = expected[pixels]
    variance = window_sums(
        CAMERA.gain**2 * (1 + CAMERA.gain_spread**2) * here + CAMERA.read_noise**2, channel, absolute=True
    )
    height = SIGNIFICANCE * np.sqrt(variance.mean() / EDGE_PIXELS) / (CAMERA.gain * WINDOW)
    shape = np.zeros(expected.shape[1])
    shape[channel : channel + 2 * WINDOW] = np.linspace(1.0, 0.5, 2 * WINDOW)
    expected[pixels] += height / shape[channel : channel + WINDOW].mean() * shape
    return Edge(channel, pixels)
