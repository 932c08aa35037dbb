"""Payloads of spectra: what the two coders of spectra need to know, then their streams."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj import _exact_spectra as exact
from daisy_bluesky.lbj import _quantised_spectra as quantised
from daisy_bluesky.lbj._adaptive_bits import SPARE, Streams, is_whole, reading, writing, written
from daisy_bluesky.lbj._cells import kind_of, patterns_of, smallest_unit
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._model_fit import FEWEST_SPECTRA, Noise, noise_of_neighbours
from daisy_bluesky.lbj._model_stream import Noise as FixedNoise
from daisy_bluesky.lbj._model_stream import Terms
from daisy_bluesky.lbj._spectra_plan import Plan, as_workable, following_plan, lattice_of, modelled_plan
from daisy_bluesky.lbj._spectral_model import (
    LARGEST_FLOOR,
    LARGEST_SHIFT,
    LARGEST_SLOPE,
    MOST_COMPONENTS,
    POINT,
    SpectralModel,
)
from daisy_bluesky.lbj._streams import read_varint, write_varint

MOST_VOXELS_PER_BYTE = 8192  # a voxel takes six decisions of at least 0.0003 bits
DECAYS = range(5)

_MODELLED = exact.MODELLED
_LARGEST_MEAN_SHIFT = 30
_TRIAL = 4096
_UNIT_BIAS = 2**12


def encode_exact(values: NDArray[Any]) -> bytes | None:
    """Return the payload of spectra, kept bit by bit; None where that takes no fewer bytes than the values.

    Parameters
    ----------
    values : (spectra, channels) integer or float
    """
    plans = list(_exact_plans(values))
    payloads = [_exact_payload(values, plan) for plan in plans]
    return min((payload for payload in payloads if payload is not None), key=len, default=None)


def decode_exact(payload: bytes, out: NDArray[Any]) -> None:
    """Fill `out`, (voxels,) integer or float, from a payload; LBJError where it is not one of such values."""
    plan, rest = _read_plan(payload, out)
    streams, model = reading(exact.CONTEXTS, *_split(payload, rest)), plan.model
    whole = exact.read_exact(
        kind_of(out.dtype, plan.unit, whole=plan.whole),
        np.int64(plan.decay),
        _noise(model),
        np.int64(model.mean_shift),
        model.shifts,
        streams,
        patterns_of(out).reshape(-1, plan.channels),
    )
    if not whole or not is_whole(streams):
        raise LBJError("exact spectra do not decode")


def encode_quantised(values: NDArray[Any], step: float, noise: Noise | None = None) -> bytes | None:
    """Return the payload of spectra in steps of their modelled sigma; None where it takes no fewer bytes.

    Parameters
    ----------
    values : (spectra, channels) float32 or float64
    step : float
        In sigma.
    noise : Noise, optional
        That of the values; fitted to them when None.
    """
    workable, exponent = as_workable(values)
    given = None if noise is None else Noise(math.ldexp(noise.slope, -exponent), math.ldexp(noise.floor, -2 * exponent))
    many = len(values) >= FEWEST_SPECTRA
    plans = [modelled_plan(values, workable, exponent, None, given) if many else None]
    if plans[0] is None:
        given = given or noise_of_neighbours(workable)
        plans = [following_plan(values, decay, given, exponent, None) for decay in DECAYS]
    payloads = [
        _quantised_payload(values, plan, round(step * 2**quantised.STEP_POINT)) for plan in plans if plan is not None
    ]
    return min((payload for payload in payloads if payload is not None), key=len, default=None)


def decode_quantised(payload: bytes, out: NDArray[Any]) -> None:
    """Fill `out`, (voxels,) float32 or float64, from a payload; LBJError where it is not one of such values."""
    if out.dtype not in (np.float32, np.float64):
        raise LBJError(f"quantised spectra stored for {out.dtype}")
    plan, rest = _read_plan(payload, out)
    (steps, seed), rest = _numbers(payload, rest, 2)
    streams = reading(quantised.CONTEXTS, *_split(payload, rest))
    if not 1 <= steps <= quantised.LARGEST_STEP or seed >= 2**32:
        raise LBJError(f"quantised spectra with a step of {steps}")
    model, values = plan.model, out.reshape(-1, plan.channels)
    whole = quantised.read_quantised(
        _grid(plan, steps, seed),
        np.int64(_signed_decay(plan)),
        _noise(model),
        np.int64(model.mean_shift),
        model.shifts,
        streams,
        values,
        patterns_of(values),
    )
    if not whole or not is_whole(streams):
        raise LBJError("quantised spectra do not decode")


def check_claim(voxels: int, payload: bytes) -> None:
    """Raise LBJError where a payload has too few bytes for the voxels it is said to hold."""
    if voxels > MOST_VOXELS_PER_BYTE * len(payload):
        raise LBJError(f"{voxels} voxels claimed in {len(payload)} bytes")


def noise_in(payload: bytes) -> Noise:
    """Return the noise that a payload of quantised spectra models, in the units of its values."""
    (_, _, unit, _, slope, floor), _ = _numbers(payload, 0, 6)
    unit -= _UNIT_BIAS
    return Noise(math.ldexp(float(slope), unit - POINT), math.ldexp(float(floor), 2 * (unit - POINT)))


def _exact_plans(values: NDArray[Any]) -> Iterator[Plan]:
    workable, exponent = as_workable(values)
    lattice = lattice_of(values)
    plan = modelled_plan(values, workable, exponent, lattice) if len(values) >= FEWEST_SPECTRA else None
    if plan is not None:
        yield plan
    if plan is None or values.size <= _TRIAL:
        trial = values[: max(_TRIAL // values.shape[1], 1), :_TRIAL]
        noise = noise_of_neighbours(workable)
        plans = [following_plan(values, decay, noise, exponent, lattice) for decay in DECAYS]
        sizes = [len(_exact_payload(trial, each._replace(channels=trial.shape[1])) or b"") for each in plans]
        yield plans[int(np.argmin([size or np.inf for size in sizes]))]


def _exact_payload(values: NDArray[Any], plan: Plan) -> bytes | None:
    patterns = patterns_of(np.ascontiguousarray(values))
    kind, terms = kind_of(values.dtype, plan.unit, whole=plan.whole), _terms(plan.model, len(values))

    def write(streams: Streams) -> bool:
        return exact.write_exact(patterns, kind, np.int64(plan.decay), _noise(plan.model), terms, streams)

    return _payload(values.nbytes, _plan_bytes(plan), exact.CONTEXTS, write)


def _quantised_payload(values: NDArray[Any], plan: Plan, steps: int) -> bytes | None:
    values = np.ascontiguousarray(values)
    seed = int(google_crc32c.value(values.tobytes()))  # frames that differ are dithered differently

    grid, decay, terms = _grid(plan, steps, seed), np.int64(_signed_decay(plan)), _terms(plan.model, len(values))

    def write(streams: Streams) -> bool:
        return quantised.write_quantised(values, patterns_of(values), grid, decay, _noise(plan.model), terms, streams)

    head = _plan_bytes(plan) + write_varint(steps) + write_varint(seed)
    return _payload(values.nbytes, head, quantised.CONTEXTS, write)


def _payload(room: int, head: bytes, contexts: int, write: Callable[[Streams], bool]) -> bytes | None:
    streams = writing(contexts, room + 2 * SPARE)
    if not write(streams):
        return None
    coded, plain = written(streams)
    payload = head + write_varint(len(coded)) + coded + plain
    return payload if len(payload) < room else None


def _terms(model: SpectralModel, spectra: int) -> Terms:
    scores = model.scores if len(model.scores) else np.zeros((spectra, 0), np.int64)
    return Terms(np.int64(model.mean_shift), model.mean, model.shifts, model.loadings, scores)


def _noise(model: SpectralModel) -> FixedNoise:
    return FixedNoise(np.int64(model.slope), np.int64(model.floor))


def _grid(plan: Plan, steps: int, seed: int) -> quantised.Grid:
    return quantised.Grid(math.ldexp(1.0, POINT - plan.unit), np.int64(steps), np.uint64(seed))


def _signed_decay(plan: Plan) -> int:
    return -1 if plan.decay == _MODELLED else plan.decay


def _plan_bytes(plan: Plan) -> bytes:
    model = plan.model
    numbers = (
        plan.channels,
        2 * plan.decay + plan.whole,
        plan.unit + _UNIT_BIAS,
        model.mean_shift,
        model.slope,
        model.floor,
        model.shifts.size,
        *model.shifts.tolist(),
    )
    return b"".join(map(write_varint, numbers))


def _read_plan(payload: bytes, out: NDArray[Any]) -> tuple[Plan, int]:
    check_claim(out.size, payload)
    (channels, decay, unit, mean_shift, slope, floor, components), rest = _numbers(payload, 0, 7)
    unit -= _UNIT_BIAS
    if not 1 <= channels <= out.size or out.size % channels:
        raise LBJError(f"spectra of {channels} channels where {out.size} voxels are due")
    if decay >> 1 not in (*DECAYS, _MODELLED) or slope > LARGEST_SLOPE or not 1 <= floor <= LARGEST_FLOOR:
        raise LBJError("prediction or noise of the spectra is out of range")
    if mean_shift > _LARGEST_MEAN_SHIFT or components > min(MOST_COMPONENTS, out.size // channels):
        raise LBJError(f"{components} components for {out.size // channels} spectra")
    if not smallest_unit(out.dtype) <= unit <= max(-smallest_unit(out.dtype), 0):
        raise LBJError(f"a unit of 2**{unit} is none of {out.dtype}")
    shifts, rest = _numbers(payload, rest, components)
    if any(shift > LARGEST_SHIFT for shift in shifts):
        raise LBJError("loadings of the spectra are out of range")
    none = np.zeros(0, np.int64)
    model = SpectralModel(
        slope, floor, mean_shift, none, np.array(shifts, np.int64), none.reshape(0, 0), none.reshape(0, 0)
    )
    return Plan(channels, unit, bool(decay & 1), decay >> 1, model), rest


def _numbers(payload: bytes, start: int, n: int) -> tuple[list[int], int]:
    numbers = []
    for _ in range(n):
        number, length = read_varint(payload[start : start + 9])
        numbers.append(number)
        start += length
    return numbers, start


def _split(payload: bytes, start: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    (size,), start = _numbers(payload, start, 1)
    if size > len(payload) - start:
        raise LBJError(f"{size} bytes of spectra claimed where {len(payload) - start} are left")
    streams = np.frombuffer(payload, np.uint8, offset=start)
    return streams[:size], streams[size:]
