"""Other ways to register the same frames, where they are installed."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift as shifted

from daisy_bluesky.bench._displacement_error import without_common_warp

NOT_COMPARED = ("pystackreg", "SimpleITK", "hyperspy")
_JUMP = 1.0  # px
_ROUNDS = 200
Array = NDArray[np.float64]


def rigid_peers(frames: Array, truth: Array) -> str:
    """Return what others reach for the shifts of frames, (n, rows, columns); truth is (n, rows, columns, 2) px."""
    means = truth.mean(axis=(1, 2))
    rows = []
    for name, package, align in (
        ("scikit-image phase correlation to the first frame", "skimage", _phase_to_first),
        ("frame to frame", "skimage", _phase_in_sequence),
        ("OpenCV ECC on a running mean", "cv2", _ecc),
    ):
        if find_spec(package) is None:
            rows.append(f"{name}: not installed")
            continue
        began = process_time()
        error = align(frames) - means
        spent = (process_time() - began) / len(frames)
        rows.append(f"{name} {_shift_error(error)}, {1000 * spent:.0f} ms a frame")
    return "; ".join([*rows, *_not_compared()])


def _not_compared() -> list[str]:
    """Say which packages that also register are not installed, or are and have no comparison here."""
    absent = [name for name in NOT_COMPARED if find_spec(name) is None]
    present = [name for name in NOT_COMPARED if name not in absent]
    words = {"not installed": absent, "installed, not compared": present}
    return [f"{', '.join(names)}: {what}" for what, names in words.items() if names]


def _shift_error(error: Array) -> str:
    """Return the error of the frames that did not jump, and how many did, from errors (n, 2) px."""
    off = error - np.median(error, axis=0)
    right = (np.abs(off) < _JUMP).all(axis=1)
    jumps = f"{int((~right).sum())} jumps"
    if not right.any():
        return jumps
    off = off[right] - off[right].mean(axis=0)
    y, x = np.sqrt((off**2).mean(axis=0))
    return f"{y:.3f}/{x:.3f}, {jumps}"


def field_peers(frames: Array, truth: Array) -> str:
    """Return what optical flow reaches for the rows, given the true shifts and a mean made with them."""
    if find_spec("skimage") is None:
        return "scikit-image ILK and TV-L1: not installed"
    means = truth.mean(axis=(1, 2))
    moved = np.array([shifted(frame, mean, order=3, mode="nearest") for frame, mean in zip(frames, means, strict=True)])
    moved = moved / moved.max()
    reference = moved.mean(axis=0)
    registration = import_module("skimage.registration")
    rows = [f"rigid alone {_row_error(np.zeros_like(truth), truth - means[:, None, None])}"]
    flows: tuple[tuple[str, Callable[..., Any], dict[str, float]], ...] = (
        ("ILK", registration.optical_flow_ilk, {"radius": 5}),
        ("TV-L1", registration.optical_flow_tvl1, {"attachment": 5}),
    )
    for name, flow, settings in flows:
        began = process_time()
        found = np.array([-np.moveaxis(flow(reference, frame, **settings), 0, -1) for frame in moved])
        spent = (process_time() - began) / len(frames)
        rows.append(f"{name} {_row_error(found, truth - means[:, None, None])}, {spent:.1f} s a frame")
    return "rows y/x: " + "; ".join(rows)


def _row_error(found: Array, truth: Array) -> str:
    left = without_common_warp(found - truth, truth).mean(axis=2)
    y, x = np.sqrt((left**2).mean(axis=(0, 1)))
    return f"{y:.3f}/{x:.3f}"


def _phase(reference: Array, frame: Array) -> Array:
    correlate = import_module("skimage.registration").phase_cross_correlation
    return np.asarray(correlate(reference, frame, upsample_factor=100)[0], dtype=np.float64)


def _phase_to_first(frames: Array) -> Array:
    return np.array([_phase(frames[0], frame) for frame in frames])


def _phase_in_sequence(frames: Array) -> Array:
    steps = [np.zeros(2)] + [_phase(before, after) for before, after in pairwise(frames)]
    return np.cumsum(steps, axis=0)


def _ecc(frames: Array) -> Array:
    cv2: Any = import_module("cv2")
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, 1e-6)
    total = frames[0].copy()
    warp = np.eye(2, 3, dtype=np.float32)
    shifts = [np.zeros(2)]
    for number, frame in enumerate(frames[1:], start=1):
        mean = (total / number).astype(np.float32)
        _, warp = cv2.findTransformECC(mean, frame.astype(np.float32), warp, cv2.MOTION_TRANSLATION, criteria, None, 5)
        shift = -warp[::-1, 2].astype(np.float64)
        shifts.append(shift)
        total += shifted(frame, shift, order=3, mode="nearest")
    return np.array(shifts)
