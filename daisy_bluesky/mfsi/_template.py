"""Repeats of a motif: found, located to a hundredth of a pixel, and held against a lattice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._lattice import Lattice, checked_image, find_lattice
from daisy_bluesky.mfsi._template_candidates import Candidates, lattice_candidates, scattered_candidates
from daisy_bluesky.mfsi._template_folding import fold_image
from daisy_bluesky.mfsi._template_refinement import Motif, Refinement

MOTIF_UPSAMPLE = 2
FEW = 8  # repeats below which their mean is no better a motif than the one drawn
UNLIKELY = 5.0  # robust standard deviations beyond which a repeat is unlike the others
LEAST_SPREAD = 0.004  # px, and of correlation and gain; below it deviations are numerical
ROBUST = 1.4826


@dataclass(frozen=True)
class Repeats:
    """Where a motif repeats itself.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the motif, pixels.
    positions : (n, 2) float64
        Row and column of the centre of each repeat, pixels.
    angles : (n,) float64
        By how much each is turned against the motif, degrees.
    gains : (n,) float64
        Contrast of each relative to the motif.
    correlations : (n,) float64
        Likeness, from -1 to 1, at the fitted position; brightness and a linear ramp do not matter.
    deviations : (n, 2) float64
        How far each lies from its lattice site, pixels; NaN where no lattice was asked for.
    outliers : (n,) bool
        Which lie, or look, unlike the others: a dopant, a defect, a mistake. They stay in the list.
    lattice : Lattice or None
        The lattice fitted to the repeats that are no outliers (those turned by the motif's own angle).
    """

    shape: tuple[int, int]
    positions: NDArray[np.float64]
    angles: NDArray[np.float64]
    gains: NDArray[np.float64]
    correlations: NDArray[np.float64]
    deviations: NDArray[np.float64]
    outliers: NDArray[np.bool_]
    lattice: Lattice | None

    def __len__(self) -> int:
        """Return the number of repeats."""
        return len(self.positions)

    def without_outliers(self) -> "Repeats":
        """Return the repeats that are like the others."""
        kept = ~self.outliers
        arrays = ("positions", "angles", "gains", "correlations", "deviations", "outliers")
        return replace(self, **{name: getattr(self, name)[kept] for name in arrays})

    def on_frame(self, upsample: int, origin: tuple[float, float] | None = None) -> "Repeats":
        """Return the repeats in pixels of the common frame, when they were found in an upsampled image.

        Parameters
        ----------
        upsample : int
            Image pixels per pixel of the frame.
        origin : tuple of float, optional
            Place of image pixel (0, 0) in the frame (`SpectrumSum.origin`); that of a whole frame when not given.
        """
        first = np.full(2, -(upsample - 1) / 2 / upsample) if origin is None else np.asarray(origin)
        rows, columns = (max(1, round(n / upsample)) for n in self.shape)
        lattice = self.lattice and Lattice(self.lattice.origin / upsample + first, self.lattice.vectors / upsample)
        positions, deviations = self.positions / upsample + first, self.deviations / upsample
        return replace(self, shape=(rows, columns), positions=positions, deviations=deviations, lattice=lattice)

    def effective_dose(self, total_dose: float) -> float:
        """Return the dose that a fold of all repeats is worth, in the unit of `total_dose`.

        References
        ----------
        Jones et al., Microscopy 67 (2018) i98, Results 3 (frames x repeats x dose of a frame).
        """
        return total_dose * len(self)


def find_repeats(
    image: ArrayLike,
    rectangle: tuple[int, int, int, int],
    *,
    periodic: bool = True,
    rotations: Sequence[float] = (0.0,),
    least_correlation: float = 0.5,
    similarity: float = 0.9,
) -> Repeats:
    """Find the repeats of a motif that lie wholly within an image.

    Normalised cross-correlation finds them to a tenth of a pixel; least squares with gain, offset and ramp, first
    with the motif as drawn, then with the mean of all repeats, take them to a hundredth.

    Parameters
    ----------
    image : array_like, (rows, columns)
        Sum image.
    rectangle : tuple of int
        First row, first column, rows and columns of the motif, two or three unit cells; see `find_motif`.
    periodic : bool, optional
        Whether the repeats are sites of a lattice: then every site is looked at, however unlike the motif, and every
        deviation told. Otherwise repeats are what resembles the motif.
    rotations : sequence of float, optional
        Angles by which repeats may be turned, degrees; with more than one, each repeat's angle is fitted as well.
    least_correlation : float, optional
        Least likeness, from 0 to 1, of a repeat where there is no lattice, and of the mean of a turned lattice.
    similarity : float, optional
        Passed to `find_lattice`.

    Returns
    -------
    Repeats

    Raises
    ------
    ValueError
        If the rectangle does not lie within the image or shows nothing, or the image is not as periodic as claimed.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods and Results 3.
    """
    picture = checked_image(image)
    top, left, rows, columns = checked_rectangle(rectangle, picture.shape)
    drawn = picture[top : top + rows, left : left + columns]
    if np.ptp(drawn) == 0:
        raise ValueError("rectangle shows no contrast: draw it around a motif")
    if len(rotations) == 0:
        raise ValueError("rotations is empty; (0,) stands for translations alone")
    centre = np.array([top + (rows - 1) / 2, left + (columns - 1) / 2])
    if periodic:
        lattice = Lattice(centre, find_lattice(picture, similarity=similarity).vectors)
        candidates = lattice_candidates(picture, drawn, lattice, rotations, least_correlation)
    else:
        candidates = scattered_candidates(picture, drawn, rotations, least_correlation)
    turns = len(rotations) > 1
    repeats = _located(picture, Motif((rows, columns), 1, drawn), candidates, turns)
    typical = repeats.without_outliers()
    if len(typical) >= FEW:
        mean = fold_image(picture, typical, upsample=MOTIF_UPSAMPLE)
        again = Candidates(repeats.positions, repeats.angles, candidates.classes)
        repeats = _located(picture, Motif((rows, columns), MOTIF_UPSAMPLE, mean), again, turns)
    return repeats


def find_motif(image: ArrayLike, *, cells: float = 2.0, similarity: float = 0.9) -> tuple[int, int, int, int]:
    """Choose a motif: a rectangle of some unit cells, at the site most like all others.

    Parameters
    ----------
    image : array_like, (rows, columns)
        Sum image, periodic.
    cells : float, optional
        Sides of the rectangle, in sides of the rectangle around a unit cell.
    similarity : float, optional
        Passed to `find_lattice`.

    Returns
    -------
    tuple of int
        First row, first column, rows and columns.

    Raises
    ------
    ValueError
        If the image is not periodic, or too small for such a motif.
    """
    picture = checked_image(image)
    if not cells > 0:
        raise ValueError(f"cells is {cells}, but must be positive")
    lattice = find_lattice(picture, similarity=similarity)
    rows, columns = np.ceil(cells * np.abs(lattice.vectors).sum(axis=0)).astype(int).tolist()
    if rows > picture.shape[0] or columns > picture.shape[1]:
        raise ValueError(f"a motif of {rows} x {columns} pixels does not fit into the image: lower cells")
    half = (np.array([rows, columns]) - 1) / 2
    firsts = np.rint(lattice.sites(half, np.array(picture.shape) - 1 - half) - half).astype(int)
    firsts = np.clip(firsts, 0, np.array(picture.shape) - (rows, columns))
    crops = np.stack([picture[r : r + rows, c : c + columns] for r, c in firsts]).reshape(len(firsts), -1)
    crops = crops - crops.mean(axis=1, keepdims=True)
    likeness = crops @ crops.mean(axis=0) / np.maximum(np.linalg.norm(crops, axis=1), 1e-30)
    top, left = firsts[int(np.argmax(likeness))].tolist()
    return top, left, rows, columns


def checked_rectangle(rectangle: tuple[int, int, int, int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return a rectangle of at least 5 x 5 pixels within an image, or say what is wrong with it."""
    top, left, rows, columns = (int(value) for value in rectangle)
    inside = top >= 0 and left >= 0 and top + rows <= shape[0] and left + columns <= shape[1]
    if not inside or rows < 5 or columns < 5:
        raise ValueError(f"rectangle {rectangle} must be 5 x 5 pixels or more within the {shape[0]} x {shape[1]} image")
    return top, left, rows, columns


def _located(picture: NDArray[np.float64], motif: Motif, candidates: Candidates, turns: bool) -> Repeats:
    refinement = Refinement(picture, motif, turns=turns)
    fits = [refinement.fit(*candidate) for candidate in zip(candidates.positions, candidates.angles, strict=True)]
    positions = np.array([fit[0] for fit in fits])
    angles, gains, correlations = (np.array([fit[k] for fit in fits], dtype=np.float64) for k in (1, 2, 3))
    deviations, lattice = _deviations(positions, candidates)
    odd = _odd(correlations) | _odd(gains)
    if candidates.classes is not None:
        odd |= _odd(deviations[:, 0]) | _odd(deviations[:, 1])
    return Repeats(motif.shape, positions, angles, gains, correlations, deviations, odd, lattice)


def _deviations(positions: NDArray[np.float64], candidates: Candidates) -> tuple[NDArray[np.float64], Lattice | None]:
    """Fit a lattice to each class of repeats, without those far off it; return how far all lie from theirs."""
    deviations = np.full_like(positions, np.nan)
    if candidates.classes is None:
        return deviations, None
    fitted: list[Lattice] = []
    for number, lattice in enumerate(candidates.classes.lattices):
        members = candidates.classes.numbers == number
        places, best = positions[members], lattice.fitted(positions[members])
        for _ in range(4):
            off = best.residuals(places)
            best = best.fitted(places[~(_odd(off[:, 0]) | _odd(off[:, 1]))])
        deviations[members] = best.residuals(places)
        fitted.append(best)
    return deviations, fitted[0]


def _odd(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which values lie farther from the median than noise would take them."""
    off = np.abs(values - np.median(values))
    return np.asarray(off > UNLIKELY * max(ROBUST * float(np.median(off)), LEAST_SPREAD))
