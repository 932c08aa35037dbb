"""Random numbers that belong to a measurement, whenever and in whatever order it is made."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What the random numbers of a measurement are for."""

    EDS = 0
    HAADF = 1
    EELS = 2
    TRAINING = 3
    ILL = 4


def random_stream(seed: int, stream: Stream, pixel: int = 0, visit: int = 0) -> np.random.Generator:
    """Return the random numbers of one visit to one pixel.

    The seed is the key of a Philox generator, and stream, pixel and visit are words of its counter: streams of
    different arguments are disjoint.

    Parameters
    ----------
    seed : int
        Seed of the specimen, from 0 to 2**64 - 1.
    stream : Stream
        What the numbers are for.
    pixel, visit : int, optional
        Flat index of the pixel and number of the visit.

    Returns
    -------
    numpy.random.Generator
        The stream, from its beginning.

    References
    ----------
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random numbers: as easy as 1, 2, 3, SC11 (2011).
    """
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, pixel, visit, stream]))
