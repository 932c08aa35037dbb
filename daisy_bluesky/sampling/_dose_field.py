"""What is known about every pixel while dose is allocated to it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._field import TILE
from daisy_bluesky.sampling._visit_cost import VisitCost

DIRECTIONS = 8
LEVELS = 6
DOUBTS = (0.03, 0.3)
# How likely an unmeasured pixel is another phase than believed, by how many of its lattice neighbours differ from it
# (none, one, more) and by its doubt, before any such pixel has been looked at; and how many looks that is worth.
FIRST_GUESS = (0.02, 0.06, 0.3, 0.1, 0.2, 0.4, 0.3, 0.4, 0.5)
FIRST_WEIGHT = 10.0


class DoseField(NamedTuple):
    """State of a field, all arrays, changed in place by compiled kernels.

    Attributes
    ----------
    evidence : (rows, columns, phases) float64
        Summed log-likelihoods, nats; of each visit the most likely phase counts 0.
    expected : (rows, columns, phases) float32
        Logarithm of a prior probability, nats, up to a term all phases of a pixel share: what was known of the pixel
        before any visit; 0 says nothing.
    messages : (rows, columns, 8, phases) float32
        What each of the eight neighbours tells the pixel: factors to its belief; 1 says nothing.
    belief : (rows, columns, phases) float32
        Posterior.
    dwell : (rows, columns) float64
        Dwell time spent, s.
    limit : (rows, columns) float64
        Largest dwell time allowed, s; 0 where closed.
    inside : (rows, columns) bool
        Region of interest.
    level : (rows, columns) int8
        Coarsest of the nested lattices the pixel belongs to; see `lattice`.
    value : (rows, columns) float32
        Expected reduction in distortion per cost of the next visit, pixels per s, times its urgency; -1 where closed.
    offer : (rows, columns) float32
        Dwell time of that visit, s.
    tiles : (tile rows, tile columns) float32
        Largest value times preference of each tile.
    dirty : (tile rows, tile columns) bool
        Tiles of which `tiles` is out of date.
    queue : (pixels,) int32
        Scratch: a ring of pixels whose messages are to be sent.
    queued : (rows, columns) bool
        Pixels in the ring.
    coupling : (8,) float64
        ``exp(strength) - 1`` towards each neighbour.
    separation : (phases, phases) float64
        Nats per second by which spectra tell two phases apart.
    wrong, looks : (levels, kinds) float64
        How often an unmeasured pixel of a level and a kind turned out to be another phase, and how many of them were
        looked at.
    cost : (4,) float64
        Overhead of a visit, dwell time equivalent to the read noise, shortest dwell time, s; level of the first pass.
    area : (rows, columns) float32
        How many pixels a measured pixel speaks for.
    stake : (rows, columns) float32
        Expected number of pixels of an unknown phase that looking at a pixel would find.
    learned : (1,) bool
        Whether unmeasured pixels are rated elsewhere.
    odds : (phases, phases) float64
        How many times likelier a pixel is of a phase (second) than the prior says, where another one leads (first).
    rough : (rows, columns) float32
        How many times more often measured pixels about a place were foretold wrongly than elsewhere.
    preference : (rows, columns) float32
        How many times more the value counts when visits are compared.
    """

    evidence: NDArray[np.float64]
    expected: NDArray[np.float32]
    messages: NDArray[np.float32]
    belief: NDArray[np.float32]
    dwell: NDArray[np.float64]
    limit: NDArray[np.float64]
    inside: NDArray[np.bool_]
    level: NDArray[np.int8]
    value: NDArray[np.float32]
    offer: NDArray[np.float32]
    tiles: NDArray[np.float32]
    dirty: NDArray[np.bool_]
    queue: NDArray[np.int32]
    queued: NDArray[np.bool_]
    coupling: NDArray[np.float64]
    separation: NDArray[np.float64]
    wrong: NDArray[np.float64]
    looks: NDArray[np.float64]
    cost: NDArray[np.float64]
    area: NDArray[np.float32]
    stake: NDArray[np.float32]
    learned: NDArray[np.bool_]
    odds: NDArray[np.float64]
    rough: NDArray[np.float32]
    preference: NDArray[np.float32]


def empty_dose_field(
    limit: NDArray[np.float64],
    inside: NDArray[np.bool_],
    phases: int,
    cost: NDArray[np.float64],
    origin: tuple[int, int],
) -> DoseField:
    """Return the state of a field of which nothing is known.

    Parameters
    ----------
    limit : (rows, columns) float64
        Largest dwell time of each pixel, s.
    inside : (rows, columns) bool
        Region of interest.
    phases : int
        Number of phases.
    cost : (4,) float64
        As in `DoseField`.
    origin : tuple of int
        A point of the coarsest lattice, pixels.

    Returns
    -------
    DoseField
    """
    shape = limit.shape
    tiles = (-(-shape[0] // TILE), -(-shape[1] // TILE))
    guess = np.tile(FIRST_GUESS, (2 * LEVELS, 1))
    return DoseField(
        evidence=np.zeros((*shape, phases)),
        expected=np.zeros((*shape, phases), np.float32),
        messages=np.ones((*shape, DIRECTIONS, phases), np.float32),
        belief=np.full((*shape, phases), 1 / max(phases, 1), np.float32),
        dwell=np.zeros(shape),
        limit=limit,
        inside=inside,
        level=lattice(shape, origin),
        value=np.zeros(shape, np.float32),
        offer=np.zeros(shape, np.float32),
        tiles=np.zeros(tiles, np.float32),
        dirty=np.ones(tiles, np.bool_),
        queue=np.zeros(limit.size, np.int32),
        queued=np.zeros(shape, np.bool_),
        coupling=np.zeros(DIRECTIONS),
        separation=np.zeros((phases, phases)),
        wrong=guess * FIRST_WEIGHT,
        looks=np.full_like(guess, FIRST_WEIGHT),
        cost=cost,
        area=np.ones(shape, np.float32),
        stake=np.zeros(shape, np.float32),
        learned=np.zeros(1, np.bool_),
        odds=np.ones((phases, phases)),
        rough=np.ones(shape, np.float32),
        preference=np.ones(shape, np.float32),
    )


def kernel_costs(cost: VisitCost) -> NDArray[np.float64]:
    """Return what compiled kernels know of the cost, (4,), as in `DoseField`.

    The first pass takes so many pixels that their overhead costs what a frame of the shortest dwell time costs
    without any: all pixels where visits are free, a coarse lattice where they are dear.
    """
    extra, shortest = cost.overhead + cost.read_noise, cost.minimum_dwell
    level = min(round(np.log2(1 + extra / shortest)), 2 * LEVELS - 2)
    return np.array([cost.overhead, cost.read_noise, shortest, level])


def grown(field: DoseField, least: NDArray[np.float64]) -> DoseField:
    """Return a field with one more phase, of which visits say what they say of their least likely one.

    Parameters
    ----------
    field : DoseField
    least : (rows, columns) float64
        Summed log-likelihoods of a phase nobody knew of, nats.
    """
    more = empty_dose_field(field.limit, field.inside, field.evidence.shape[2] + 1, field.cost, (0, 0))
    more.evidence[:, :, :-1] = field.evidence
    more.evidence[:, :, -1] = least
    more.expected[:, :, :-1] = field.expected
    more.expected[:, :, -1] = mean_expected(field.expected)
    kept = ("dwell", "level", "coupling", "wrong", "looks", "area", "stake", "learned", "rough", "preference")
    return more._replace(**{name: getattr(field, name) for name in kept})


def mean_expected(log_prior: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logarithm of the mean prior probability of the phases at every pixel, (rows, columns) float32, nats.

    A phase of which nothing else is expected then has the share of one among all everywhere, whatever is expected of
    the others, (rows, columns, phases), and whatever term they share.
    """
    largest = log_prior.max(axis=2)
    return np.asarray(largest + np.log(np.exp(log_prior - largest[:, :, None]).mean(axis=2)))


def lattice(shape: tuple[int, ...], origin: tuple[int, int]) -> NDArray[np.int8]:
    """Return the coarsest nested lattice each pixel belongs to, (rows, columns) int8.

    Level 2 k holds every 2**k-th pixel of every 2**k-th line, level 2 k + 1 also the centres of its cells' quadruples:
    a pixel of level v stands for 2**v pixels, up to 2**11.
    """
    rows = (np.arange(shape[0]) - origin[0])[:, None]
    columns = (np.arange(shape[1]) - origin[1])[None, :]
    level = np.zeros((shape[0], shape[1]), np.int8)
    for half in range(LEVELS - 1):
        pitch = 2 << half
        square = (rows % pitch == 0) & (columns % pitch == 0)
        centred = (rows % pitch == pitch // 2) & (columns % pitch == pitch // 2)
        level[square] = 2 * half + 2
        level[centred] = 2 * half + 1
    return level
