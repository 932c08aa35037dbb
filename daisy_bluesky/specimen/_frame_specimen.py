"""Specimens at atomic resolution, seen in projection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xraydb
from numpy.typing import NDArray

from daisy_bluesky.specimen._frame_render import REACH, SLACK, add_columns

KESTERITE_CELL = (0.604, 0.565)  # nm
KESTERITE_MOTIF = (
    ("Ag", 0.00, 0.00),
    ("Sn", 0.00, 0.50),
    ("Se", 0.30, 0.25),
    ("Se", 0.30, 0.75),
    ("Zn", 0.60, 0.00),
    ("Ag", 0.62, 0.50),
)
SUPPORT = 0.46  # of one column's height
XRAY_WIDENING = 1.3
CONTRAST_EXPONENT = 1.7  # of the atomic number, in high-angle dark-field images
BRIGHTNESS: Mapping[str, float] = {"Ag": 1.0, "Sn": 1.12, "Se": 0.62, "Zn": 0.5, "C": 0.05}


@dataclass(frozen=True)
class ProjectedSpecimen:
    """Columns or particles in projection, each a Gaussian, on an even support.

    Attributes
    ----------
    positions : (n, 2) float64
        Row and column in the common frame, px; pixel centres lie at integers.
    widths : (n,) float64
        Standard deviations as the probe sees them, px.
    brightness : (n,) float64
        Heights in the ADF image, relative.
    amounts : (n, elements) float64
        How much of each element is there, relative.
    elements : tuple of str
        Symbols of the elements.
    support : float
        Brightness of the even support, relative.
    pixel_size : float
        Distance between pixel centres, nm.
    """

    positions: NDArray[np.float64]
    widths: NDArray[np.float64]
    brightness: NDArray[np.float64]
    amounts: NDArray[np.float64]
    elements: tuple[str, ...]
    support: float
    pixel_size: float

    def image(
        self,
        displacement: NDArray[np.float64],
        *,
        weights: NDArray[np.float64] | None = None,
        support: float | None = None,
        widening: float = 1.0,
    ) -> NDArray[np.float64]:
        """Return what a scan sees without noise.

        Parameters
        ----------
        displacement : (rows, columns, 2) float64
            Where the probe was, from its pixel, px.
        weights : (n,) float64, optional
            Heights of the columns; the ADF brightness when not given.
        support : float, optional
            What the even support adds; that of the ADF image when not given.
        widening : float, optional
            Factor on the widths: X-rays come from a wider region than ADF electrons.

        Returns
        -------
        (rows, columns) float64
            Relative intensity.
        """
        image = np.full(displacement.shape[:2], self.support if support is None else support)
        add_columns(
            image,
            np.ascontiguousarray(displacement, dtype=np.float64),
            self.positions,
            self.widths * widening,
            self.brightness if weights is None else weights,
        )
        return image

    def emission(self, displacement: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """Yield how much of each element the X-rays of a scan come from, (rows, columns) float64, relative."""
        for amounts in self.amounts.T:
            yield self.image(displacement, weights=amounts, support=0.0, widening=XRAY_WIDENING)

    def mean_signals(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Return the mean brightness and X-ray emission, support included, of a field that is scanned still."""
        still = np.zeros((*shape, 2))
        emission = sum(float(element.mean()) for element in self.emission(still))
        return float(self.image(still).mean()), emission + self.support

    def window(
        self, origin: tuple[float, float], pixel_size: float, reach: tuple[NDArray[np.float64], NDArray[np.float64]]
    ) -> "ProjectedSpecimen":
        """Return what a scan with another pixel size, beginning elsewhere, can see.

        Parameters
        ----------
        origin : tuple of float
            Row and column of the scan's first pixel here, px.
        pixel_size : float
            Distance between the scan's pixels, nm.
        reach : tuple of ndarray
            Lowest and highest (row, column) where the beam comes to be, (2,) float64, px of the scan.

        Returns
        -------
        ProjectedSpecimen
            In pixels of the scan.
        """
        ratio = self.pixel_size / pixel_size
        positions, widths = (self.positions - np.array(origin)) * ratio, self.widths * ratio
        slack = 2 * REACH * widths[:, np.newaxis] + SLACK
        seen = ((positions > reach[0] - slack) & (positions < reach[1] + slack)).all(axis=1)
        return ProjectedSpecimen(
            positions[seen],
            widths[seen],
            self.brightness[seen],
            self.amounts[seen],
            self.elements,
            self.support,
            pixel_size,
        )

    def spread(self, variance: float) -> "ProjectedSpecimen":
        """Return the same seen by a beam that is moved about while it dwells, with a variance along each axis, px^2."""
        widths = np.sqrt(self.widths**2 + variance)
        left = (self.widths / widths) ** 2
        return replace(
            self, widths=widths, brightness=self.brightness * left, amounts=self.amounts * left[:, np.newaxis]
        )


def crystal(
    shape: tuple[int, int],
    *,
    pixel_size: float = 0.056,
    cell: tuple[float, float] = KESTERITE_CELL,
    motif: Sequence[tuple[str, float, float]] = KESTERITE_MOTIF,
    angle: float = 7.0,
    width: float = 0.05,
    margin: float = 30.0,
    dopants: float = 0.0,
    seed: int = 0,
) -> ProjectedSpecimen:
    """Return a perfect crystal, or one with single columns replaced.

    Parameters
    ----------
    shape : tuple of int
        The field, (rows, columns), px.
    pixel_size : float, optional
        Distance between pixel centres, nm.
    cell : tuple of float, optional
        Height and width of the rectangular unit cell, nm.
    motif : sequence of (element, row, column), optional
        Columns of a cell, places as parts of it.
    angle : float, optional
        By how much the lattice is turned against the scan, degrees.
    width : float, optional
        Standard deviation of a column as the probe sees it, nm.
    margin : float, optional
        How far the crystal goes on beyond the field, px.
    dopants : float, optional
        Part of the columns that are replaced by another element of the motif.
    seed : int, optional
        Seed of the dopants' places.

    Returns
    -------
    ProjectedSpecimen
        The crystal.

    Raises
    ------
    ValueError
        If the cell, the pixel size or the width is not positive, or the motif is empty.
    """
    if not (min(*cell, pixel_size, width) > 0 and motif):
        raise ValueError("a crystal needs a motif, and a cell, pixel size and column width above zero")
    elements = tuple(dict.fromkeys(name for name, _, _ in motif))
    corners = _cells(shape, np.array(cell) / pixel_size, np.radians(angle), margin)
    turn = _rotation(np.radians(angle))
    places, kinds = [], []
    for name, row, column in motif:
        places.append(corners + turn @ (np.array([row, column]) * cell / pixel_size))
        kinds.append(np.full(len(corners), elements.index(name)))
    positions, kind = np.concatenate(places), np.concatenate(kinds)
    rng = np.random.default_rng(seed)
    replaced = rng.random(len(kind)) < dopants
    kind[replaced] = (kind[replaced] + 1 + rng.integers(0, max(1, len(elements) - 1), replaced.sum())) % len(elements)
    return ProjectedSpecimen(
        positions,
        np.full(len(kind), width / pixel_size),
        np.array([_brightness(name) for name in elements])[kind],
        np.eye(len(elements))[kind],
        elements,
        SUPPORT,
        pixel_size,
    )


def particles(
    shape: tuple[int, int],
    *,
    pixel_size: float = 0.5,
    density: float = 0.004,
    sizes: tuple[float, float] = (1.0, 4.0),
    margin: float = 30.0,
    seed: int = 0,
) -> ProjectedSpecimen:
    """Return particles scattered at random on a support: nothing in it repeats.

    Parameters
    ----------
    shape : tuple of int
        The field, (rows, columns), px.
    pixel_size : float, optional
        Distance between pixel centres, nm.
    density : float, optional
        Particles per square pixel.
    sizes : tuple of float, optional
        Smallest and largest standard deviation of a particle, px.
    margin : float, optional
        How far the specimen goes on beyond the field, px.
    seed : int, optional
        Seed of places and sizes.

    Returns
    -------
    ProjectedSpecimen
        The particles.

    Raises
    ------
    ValueError
        If the density or a size is not positive.
    """
    if not min(density, *sizes) > 0:
        raise ValueError("particles need a density and sizes above zero")
    rng = np.random.default_rng(seed)
    extent = np.array(shape) + 2 * margin
    number = int(rng.poisson(density * extent.prod()))
    kind = rng.integers(0, 2, number)
    return ProjectedSpecimen(
        rng.random((number, 2)) * extent - margin,
        rng.uniform(*sizes, number),
        rng.uniform(0.4, 1.0, number) * np.array([1.0, 0.5])[kind],
        np.eye(2)[kind],
        ("Ag", "Se"),
        SUPPORT,
        pixel_size,
    )


def _brightness(element: str) -> float:
    """Return the height of a column in the ADF image, relative to silver: where it is not listed, by atomic number."""
    silver = xraydb.atomic_number("Ag")
    return BRIGHTNESS.get(element, (xraydb.atomic_number(element) / silver) ** CONTRAST_EXPONENT)


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _cells(shape: tuple[int, int], cell: NDArray[np.float64], angle: float, margin: float) -> NDArray[np.float64]:
    """Return the corners of all cells that touch the field and its margin, (n, 2) px."""
    reach = int((max(shape) + 2 * margin) / cell.min()) + 2
    steps = np.arange(-reach, reach + 1)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2) * cell
    corners = grid @ _rotation(angle).T + np.array(shape) / 2
    inside = ((corners > -margin) & (corners < np.array(shape) + margin)).all(axis=1)
    return corners[inside]
