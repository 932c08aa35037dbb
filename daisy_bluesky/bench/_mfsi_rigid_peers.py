"""Other ways to find the shifts of the same frames, where they are installed."""

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift as shifted

from daisy_bluesky.bench._displacement_error import displacement_error
from daisy_bluesky.bench._installed_peers import compared

_JUMP = 1.0  # px
_ROUNDS = 200
_UPSAMPLING = 100
Array = NDArray[np.float64]


def rigid_peers(frames: Array, truth: Array) -> str:
    """Return what others reach for the shifts of frames, (n, rows, columns); truth is (n, rows, columns, 2) px.

    Each is used as suits a crystal that drifts. scikit-image correlates frames less their means, without weighing all
    frequencies alike as phase correlation does, which jumped and erred more here. ECC and TurboReg (pystackreg) compare
    a frame with the running mean of those before it, starting from the shift of the last. HyperSpy correlates each
    frame, less its mean, with the one before, then the aligned frames with their mean, all without its Sobel, median
    and Hanning filters: with any of them it does worse here.
    """

    def figures(align: Callable[[Array], Array]) -> str:
        align(frames[:2])
        began = process_time()
        found = align(frames)
        spent = (process_time() - began) / len(frames)
        return f"{shift_error(found, truth)}, {1000 * spent:.0f} ms a frame"

    peers = (
        ("scikit-image cross-correlation to the first frame", "skimage", _correlated_with_first),
        ("frame to frame", "skimage", _correlated_in_sequence),
        ("OpenCV ECC on a running mean", "cv2", _ecc),
        ("pystackreg translation on a running mean", "pystackreg", _translation),
        ("rigid body", "pystackreg", _rigid_body),
        ("HyperSpy estimate_shift2D frame to frame", "hyperspy", _cascade),
        ("and after align2D to the mean", "hyperspy", _align2d),
    )
    return "; ".join(compared(peers, figures))


def shift_error(found: Array, truth: Array) -> str:
    """Return the error of the frames that did not jump, and how many did, from shifts (n, 2) px.

    Those that jumped are off from where most are by more than a pixel, and are left out; then the errors are taken as
    those of `register`: a warp of the specimen that all frames share is removed.
    """
    off = found - truth.mean(axis=(1, 2))
    near = (np.abs(off[:, None] - off) < _JUMP).all(axis=-1)
    most = np.median(off[near[near.sum(axis=1).argmax()]], axis=0)
    right = (np.abs(off - most) < _JUMP).all(axis=1)
    jumps = f"{int((~right).sum())} jumps"
    everywhere = np.broadcast_to(found[right, None, None], truth[right].shape)
    y, x = displacement_error(everywhere, truth[right]).frame
    return f"{y:.3f}/{x:.3f}, {jumps}"


def _correlate(reference: Array, frame: Array) -> Array:
    correlate = import_module("skimage.registration").phase_cross_correlation
    pair = reference - reference.mean(), frame - frame.mean()
    return np.asarray(correlate(*pair, upsample_factor=_UPSAMPLING, normalization=None)[0], dtype=np.float64)


def _correlated_with_first(frames: Array) -> Array:
    return np.array([_correlate(frames[0], frame) for frame in frames])


def _correlated_in_sequence(frames: Array) -> Array:
    steps = [np.zeros(2)] + [_correlate(before, after) for before, after in pairwise(frames)]
    return np.cumsum(steps, axis=0)


def _on_running_mean(frames: Array, step: Callable[[Array, Array, Array], Array]) -> Array:
    """Return shifts found by a step from the mean of the frames before, a frame and the last shift."""
    total, shifts = frames[0].copy(), [np.zeros(2)]
    for number, frame in enumerate(frames[1:], start=1):
        shifts.append(step(total / number, frame, shifts[-1]))
        total += shifted(frame, shifts[-1], order=3, mode="nearest")
    return np.array(shifts)


def _ecc(frames: Array) -> Array:
    cv2: Any = import_module("cv2")
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, 1e-6)

    def step(mean: Array, frame: Array, last: Array) -> Array:
        warp = np.array([[1, 0, -last[1]], [0, 1, -last[0]]], dtype=np.float32)
        pair = mean.astype(np.float32), frame.astype(np.float32)
        _, warp = cv2.findTransformECC(*pair, warp, cv2.MOTION_TRANSLATION, criteria, None, 5)
        return np.asarray(-warp[::-1, 2], dtype=np.float64)

    return _on_running_mean(frames, step)


def _translation(frames: Array) -> Array:
    return _turboreg(frames, import_module("pystackreg").StackReg.TRANSLATION)


def _rigid_body(frames: Array) -> Array:
    return _turboreg(frames, import_module("pystackreg").StackReg.RIGID_BODY)


def _turboreg(frames: Array, motion: int) -> Array:
    """Return shifts at the centre of the frames; the mean is moved by the last shift, as no start can be given."""
    turboreg: Any = import_module("pystackreg").StackReg(motion)
    rows, columns = frames.shape[1:]
    centre = np.array([(columns - 1) / 2, (rows - 1) / 2, 1.0])

    def step(mean: Array, frame: Array, last: Array) -> Array:
        matrix = turboreg.register(shifted(mean, -last, order=3, mode="nearest"), frame)
        return np.asarray(last - (matrix @ centre - centre)[1::-1], dtype=np.float64)

    return _on_running_mean(frames, step)


def _estimated(frames: Array, reference: str) -> Array:
    """Return the shifts that HyperSpy would undo, (n, 2) px."""
    unfiltered = dict.fromkeys(("sobel", "medfilter", "hanning", "show_progressbar"), False)
    signal: Any = import_module("hyperspy.api").signals.Signal2D(frames - frames.mean(axis=(1, 2), keepdims=True))
    shifts = signal.estimate_shift2D(reference=reference, sub_pixel_factor=_UPSAMPLING, **unfiltered)
    return np.asarray(shifts, dtype=np.float64)


def _cascade(frames: Array) -> Array:
    return -_estimated(frames, "cascade")


def _align2d(frames: Array) -> Array:
    shifts = _cascade(frames)
    signal: Any = import_module("hyperspy.api").signals.Signal2D(frames.copy())
    signal.align2D(shifts=-shifts, interpolation_order=3, show_progressbar=False, num_workers=1)
    stack = np.concatenate([signal.data.mean(axis=0, keepdims=True), signal.data])
    return shifts - _estimated(stack, "current")[1:]
