"""How spectra are to be written: the unit in which they count, and what predicts them."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._cells import FRACTION_BITS, LARGEST_CELL, smallest_unit
from daisy_bluesky.lbj._exact_spectra import MODELLED
from daisy_bluesky.lbj._model_fit import Noise, fit, to_fixed_point
from daisy_bluesky.lbj._spectral_model import LARGEST_FLOOR, LARGEST_SLOPE, POINT, SpectralModel

_FINE_STEPS = 4  # a unit of floats is 2**-4 to 2**-5 of the smallest sigma
_SAMPLE = 2**20
_ORDINARY = 0.98  # of the values the unit must suit
_EXCEPTIONS = 1000  # one value in so many need not be on the lattice


class Plan(NamedTuple):
    """Everything a payload says before its streams.

    Attributes
    ----------
    channels : int
        Length of a spectrum.
    unit : int
        Values count in ``2**unit``.
    whole : bool
        Whether nearly all values are whole multiples of it.
    decay : int
        Of the running prediction along the channels; `MODELLED` where the model predicts.
    model : SpectralModel
        What predicts; only its noise where the prediction is a running one.
    """

    channels: int
    unit: int
    whole: bool
    decay: int
    model: SpectralModel


def modelled_plan(
    values: NDArray[Any],
    workable: NDArray[np.float32],
    exponent: int,
    lattice: int | None,
    noise: Noise | None = None,
) -> Plan | None:
    """Return the plan that predicts with a model fitted to the spectra; None where its numbers do not fit.

    Parameters
    ----------
    values : (spectra, channels) integer or float
    workable, exponent
        The same as `as_workable` returns them.
    lattice : int or None
        What `lattice_of` returns; None for spectra that are to be quantised.
    noise : Noise, optional
        Of the workable values; fitted to them when None.
    """
    floor = math.ldexp(1.0, 2 * (lattice - exponent)) / 12 if lattice is not None else 0.0
    fitted, components = fit(workable, floor)
    noise = noise or fitted
    smallest = float(noise.sigma(components.mean).min())
    unit = _unit(values, smallest, exponent) if lattice is None else lattice
    model = to_fixed_point(noise, components, unit - exponent)
    return None if model is None else Plan(values.shape[1], unit, lattice is not None, MODELLED, model)


def following_plan(values: NDArray[Any], decay: int, noise: Noise, exponent: int, lattice: int | None) -> Plan:
    """Return the plan that follows the channels; `noise` is that of the workable values."""
    unit = _unit(values, math.sqrt(noise.floor), exponent) if lattice is None else lattice
    points = 2.0 ** (POINT - unit + exponent)
    none = np.zeros(0, np.int64)
    slope, floor = min(noise.slope * points, LARGEST_SLOPE), min(noise.floor * points**2, LARGEST_FLOOR)
    model = SpectralModel(round(slope), max(round(floor), 1), 0, none, none, none.reshape(0, 0), none.reshape(0, 0))
    return Plan(values.shape[1], unit, lattice is not None, decay, model)


def as_workable(values: NDArray[Any]) -> tuple[NDArray[np.float32], int]:
    """Return values divided by a power of two near their middle, and its exponent; what is not finite becomes 0."""
    sample = _sample(values)
    exponent = int(np.median(np.frexp(sample)[1])) if sample.size else 0
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        workable = np.ldexp(values.astype(np.float64, copy=False), -exponent).astype(np.float32)
    limit = np.float32(2.0**40)
    workable[~(np.abs(workable) < limit)] = 0
    return workable, exponent


def _sample(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return magnitudes of some of the values, (n,), of those that are finite and not 0."""
    with np.errstate(invalid="ignore"):  # floats that signal that they are none
        sample = np.abs(values.reshape(-1)[:: max(values.size // _SAMPLE, 1)].astype(np.float64))
    return np.asarray(sample[np.isfinite(sample) & (sample > 0)])


def lattice_of(values: NDArray[Any]) -> int | None:
    """Return the exponent of a power of two of which nearly all values are whole multiples; None where none is."""
    if values.dtype.kind != "f":
        return 0
    fraction = FRACTION_BITS[values.itemsize]
    sample = _sample(values)
    if not sample.size:
        return 0
    mantissa, exponent = np.frexp(sample)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    lowest = exponent - 53 + np.frexp((whole & -whole).astype(np.float64))[1] - 1
    unit = int(np.partition(lowest, sample.size // _EXCEPTIONS)[sample.size // _EXCEPTIONS])
    with np.errstate(over="ignore"):
        multiples = np.ldexp(sample, -unit)
    largest = float(np.partition(multiples, -1 - sample.size // _EXCEPTIONS)[-1 - sample.size // _EXCEPTIONS])
    return unit if largest < min(2 ** (fraction + 1), LARGEST_CELL) else None


def _unit(values: NDArray[Any], sigma: float, exponent: int) -> int:
    """Return the unit of floats that are whole multiples of none: fine for their noise, coarse for the largest."""
    fraction = FRACTION_BITS[values.itemsize]
    wanted = math.frexp(sigma)[1] + exponent - 1 - _FINE_STEPS
    sample = _sample(values)
    largest = float(np.quantile(sample, _ORDINARY)) if sample.size else 0.0
    needed = math.frexp(largest)[1] - min(fraction, 31)
    lowest = smallest_unit(values.dtype)
    return int(np.clip(max(wanted, needed), lowest, -lowest))
