"""A survey image as evidence: what its grey values say about the phases, believed as far as spectra bear it out."""

from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._dose_field import DoseField
from daisy_bluesky.sampling._images import read_grey_image
from daisy_bluesky.sampling._messages import sweep
from daisy_bluesky.sampling._survey_relation import Relation, learn_relation

BLOCKS = 4
SMALLEST_BLOCK, LARGEST_BLOCK = 8, 64
SWEEPS, TOLERANCE = 6, 1e-2
FEWEST = 64
WEIGHTS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
# An image is believed by as much as still pays where it pays least: standard errors, and nats on top.
DOUBT, LEAST_GAIN = 2.0, 3.0


class Survey:
    """A survey image of the field (HAADF, BSE, ...), and what it says about the phases.

    What a grey value says is learned from the spectra alone: from pixels that were visited, their neighbours and
    nothing else. It is learned on half of the blocks of the field and put to the proof on the other half: would it
    have foretold the spectra found there better than the neighbours do without it? So much of it is believed as pays
    for certain; where the image misleads, nothing.

    Parameters
    ----------
    image : (rows, columns) array_like
        Grey values; what they mean need not be known, nor need they be even over the field.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    terms : (rows, columns, 5) float64
        Terms of a trend of second order.
    weight : float
        How far the image is believed, from 0 (misleading, or not yet known) to 1 (as a spectrum is).

    Raises
    ------
    ValueError
        If the image is not two-dimensional or not of finite numbers.
    """

    def __init__(self, image: ArrayLike) -> None:
        self.image = _checked(image)
        self.shape = (int(self.image.shape[0]), int(self.image.shape[1]))
        self.weight = 0.0
        self.terms = _trend_terms(self.shape)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Survey":
        """Return the survey image in a file, as `read_grey_image` reads it.

        Raises
        ------
        ValueError
            If the file cannot be read or holds no image of finite numbers.
        """
        try:
            return cls(read_grey_image(path))
        except OSError as error:
            raise ValueError(f"survey: {path} cannot be read ({error.strerror}); give the file of an image") from None
        except ValueError as error:
            raise ValueError(f"survey: {str(error).removeprefix('survey: ')}") from None

    def check_shape(self, shape: tuple[int, int]) -> None:
        """Check that the image shows every pixel of a field.

        Raises
        ------
        ValueError
            If it has another shape.
        """
        if self.shape != shape:
            raise ValueError(f"survey: the image has {self.shape} pixels, the field {shape}; resample it to the field")

    def log_prior(self, field: DoseField) -> NDArray[np.float64]:
        """Learn anew from what spectra have told, and return what the image says about all pixels.

        Parameters
        ----------
        field : DoseField
            State of the field; not changed.

        Returns
        -------
        (rows, columns, phases) float64
            Nats; 0 everywhere where the image is not believed.
        """
        self.weight, relation = self.judged(list(self._told(field)))
        return np.zeros(field.evidence.shape) if relation is None else self.log_ratio(self.weight, relation)

    def judged(self, told: Sequence[tuple[NDArray[np.float64], ...]]) -> tuple[float, Relation | None]:
        """Return how far the image is to be believed and what it says, as measured pixels have it; changes nothing.

        Parameters
        ----------
        told : sequence of (grey (n,), terms (n, terms), around (n, phases), likelihood (n, phases))
            For each block of the field in the order of `blocks_of`: grey values of measured pixels, terms of the trend
            there, what their neighbours say and what they themselves have told, as probabilities.

        Returns
        -------
        tuple of float and Relation or None
            0 and None where the image is not believed.
        """
        halves = [[index for index in range(len(told)) if (index // BLOCKS + index) % 2 == half] for half in (0, 1)]
        if min(sum(len(told[index][0]) for index in half) for half in halves) < FEWEST:
            return 0.0, None
        gains = np.zeros((len(told), len(WEIGHTS)))
        for here, there in (halves, halves[::-1]):
            relation = _learned([told[index] for index in there])
            for index in here:
                gains[index] = _gains(relation, *told[index])
        error = np.sqrt(len(told)) * gains.std(axis=0, ddof=1)
        certain = gains.sum(axis=0) - DOUBT * error
        weight = float(WEIGHTS[np.argmax(certain)])
        if weight == 0 or certain.max() < LEAST_GAIN:
            return 0.0, None
        return weight, _learned(told)

    def log_ratio(self, weight: float, relation: Relation) -> NDArray[np.float64]:
        """Return what the image says about all pixels, (rows, columns, phases) float64, nats, believed by `weight`."""
        whole = relation.log_ratio(self.image.ravel(), self.terms.reshape(-1, self.terms.shape[2]))
        return np.asarray(weight * whole.reshape(*self.shape, -1))

    def _told(self, field: DoseField) -> Iterator[tuple[NDArray[np.float64], ...]]:
        for block in blocks_of(self.shape):
            part = field._replace(
                evidence=field.evidence[block].copy(),
                expected=np.zeros_like(field.expected[block]),
                messages=np.ones_like(field.messages[block]),
                belief=field.belief[block].copy(),
            )
            sweep(part, SWEEPS, TOLERANCE)
            seen = field.dwell[block] > 0
            around = part.messages[seen].astype(np.float64).prod(axis=1)
            around /= around.sum(axis=1, keepdims=True)
            evidence = part.evidence[seen]
            likelihood = np.exp(evidence - evidence.max(axis=1, keepdims=True))
            yield self.image[block][seen], self.terms[block][seen], around, likelihood


def _learned(told: Sequence[tuple[NDArray[np.float64], ...]]) -> Relation:
    grey, terms, around, likelihood = (np.concatenate(part) for part in zip(*told, strict=True))
    belief = around * likelihood
    return learn_relation(grey, terms, belief / belief.sum(axis=1, keepdims=True))


def _gains(
    relation: Relation,
    grey: NDArray[np.float64],
    terms: NDArray[np.float64],
    around: NDArray[np.float64],
    likelihood: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return by how much better spectra are foretold with the image than without, nats, for each weight."""
    without = np.log((around * likelihood).sum(axis=1))
    ratio = relation.log_ratio(grey, terms)
    gains = []
    for weight in WEIGHTS:
        prior = around * np.exp(weight * ratio)
        gains.append(float((np.log((prior * likelihood).sum(axis=1) / prior.sum(axis=1)) - without).sum()))
    return np.array(gains)


def heeded_survey(survey: Survey, shape: tuple[int, int]) -> Survey:
    """Return a survey of the same image that nothing has been learned of yet.

    Raises
    ------
    ValueError
        If it is none, or does not show every pixel of a field.
    """
    if not isinstance(survey, Survey):
        raise ValueError(f"survey: {type(survey).__name__} given; give sampling.Survey(image)")
    survey.check_shape(shape)
    return Survey(survey.image)


def blocks_of(shape: tuple[int, ...], largest: int = LARGEST_BLOCK) -> Iterator[tuple[slice, slice]]:
    """Yield blocks all over a field, row by row, in the middle of the cells of a grid where they do not fill it."""
    edges = [np.linspace(0, size, BLOCKS + 1).round().astype(int) for size in shape]
    for top, bottom in zip(edges[0], edges[0][1:], strict=False):
        for left, right in zip(edges[1], edges[1][1:], strict=False):
            yield _middle(int(top), int(bottom), largest), _middle(int(left), int(right), largest)


def _middle(first: int, last: int, largest: int) -> slice:
    size = min(last - first, largest)
    start = first + (last - first - size) // 2
    return slice(start, start + size)


def _trend_terms(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the terms of a trend of second order, (rows, columns, 5) float64."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    return np.stack([y, x, y * y, y * x, x * x], axis=2)


def _checked(image: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(image)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise ValueError(f"survey: an image has two dimensions and grey values, not shape {array.shape}")
    grey = array.astype(np.float64)
    if not np.isfinite(grey).all():
        raise ValueError("survey: some pixels are not finite; mend them first")
    return grey
