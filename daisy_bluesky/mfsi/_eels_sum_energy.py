"""How far along the energy axis the spectra of a frame have to be moved before they are summed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._eels_sum_kernels import centres_of_peaks, shift_spectra

ROUNDS = 6
BACKGROUND_TERMS = 3  # of a polynomial: how a background under an edge varies within a narrow window


def zero_loss_shift(
    spectra: ArrayLike, *, channel: float, window: tuple[int, int] | None = None, half_width: float = 6.0
) -> NDArray[np.float64]:
    """Return the shift that takes the zero-loss peak of every spectrum to one channel.

    Parameters
    ----------
    spectra : array_like, (rows, columns, channels)
        One frame, counts.
    channel : float
        Where the peak is to lie.
    window : tuple of int, optional
        First channel and channel after the last in which the peak is looked for; all when not given.
    half_width : float, optional
        Half the range around the peak whose centre of mass is its position, channels: about the peak's full width
        at half maximum.

    Returns
    -------
    (rows, columns) float64
        Channels by which to move each spectrum, as `EelsSum.add` takes them.

    Raises
    ------
    ValueError
        If the spectra or the window do not fit, or a spectrum has no counts in the window.

    References
    ----------
    K. Kimoto, Y. Matsui, J. Microsc. 208 (2002) 224 (spectra aligned on the zero-loss peak before summing).
    """
    frame = frame_of_spectra(spectra)
    low, high = checked_window(window, frame.shape[2])
    if not half_width > 0:
        raise ValueError(f"half_width is {half_width}, but must be positive")
    centres = np.empty(frame.shape[:2])
    centres_of_peaks(frame, low, high, float(half_width), centres)
    if np.isnan(centres).any():
        row, column = np.argwhere(np.isnan(centres))[0]
        raise ValueError(f"spectrum ({row}, {column}) has no peak in channels {low} to {high}: choose another window")
    return np.asarray(channel - centres)


def edge_shift(
    spectra: ArrayLike, reference: ArrayLike, *, window: tuple[int, int], largest: int = 40
) -> NDArray[np.float64]:
    """Return the shift that takes an edge of every spectrum to where a reference spectrum has it.

    A single spectrum is too noisy to tell. All of a frame share an energy drift and a descan error linear in
    row and column: these three numbers are fitted by least squares, each spectrum with its own intensity and
    its own smooth background.

    Parameters
    ----------
    spectra : array_like, (rows, columns, channels)
        One frame, counts.
    reference : array_like, (channels,)
        Sum or mean spectrum of aligned frames, or of the first.
    window : tuple of int
        First channel and channel after the last of the range that holds the edge and some channels around it.
    largest : int, optional
        Largest shift to expect, channels.

    Returns
    -------
    (rows, columns) float64
        Channels by which to move each spectrum, as `EelsSum.add` takes them.

    Raises
    ------
    ValueError
        If spectra, reference or window do not fit, or the reference has no feature in the window.

    References
    ----------
    Y. Sasano, S. Muto, J. Electron Microsc. 57 (2008) 149 (energy drift corrected on core-loss edges).
    """
    frame = frame_of_spectra(spectra)
    low, high = checked_window(window, frame.shape[2])
    standard = np.asarray(reference, dtype=np.float64)
    if standard.shape != frame.shape[2:]:
        raise ValueError(f"reference has shape {standard.shape}; the spectra have {frame.shape[2]} channels")
    slope, shape = _features(standard, low, high)
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in frame.shape[:2]), indexing="ij"), -1).reshape(-1, 2)
    plane = np.column_stack([np.ones(len(places)), places])
    drift = np.array([_whole_shift(frame.mean(axis=(0, 1)), standard, low, high, largest), 0.0, 0.0])
    shifted = np.empty((*frame.shape[:2], high - low), np.float32)
    for _ in range(ROUNDS):
        shift_spectra(frame, (plane @ drift).reshape(frame.shape[:2]), low, high, shifted)
        flat = shifted.reshape(len(plane), -1).astype(np.float64)
        design = plane * (flat @ shape)[:, None]
        drift = drift + np.linalg.lstsq(design, flat @ slope, rcond=None)[0]
    return np.asarray((plane @ drift).reshape(frame.shape[:2]))


def frame_of_spectra(spectra: ArrayLike) -> NDArray[np.float32]:
    """Return one frame of finite spectra, (rows, columns, channels) float32, or say what is wrong with it."""
    frame = np.ascontiguousarray(spectra, dtype=np.float32)
    if frame.ndim != 3 or not frame.size:
        raise ValueError(f"spectra have shape {frame.shape}; one frame is (rows, columns, channels)")
    if not np.isfinite(frame).all():
        raise ValueError("spectra hold NaN or infinity: set them to 0 and give their pixels exposure 0")
    return frame


def checked_window(window: tuple[int, int] | None, channels: int) -> tuple[int, int]:
    """Return first channel and channel after the last, or say what is wrong with them."""
    low, high = (0, channels) if window is None else window
    if not 0 <= low < high <= channels:
        raise ValueError(f"window {low} to {high} is not a range within 0 to {channels} channels")
    return int(low), int(high)


def _features(standard: NDArray[np.float64], low: int, high: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what measures a shift and what measures an intensity, blind to each other and to a smooth background."""
    smooth = np.linalg.qr(np.vander(np.linspace(-1, 1, high - low), BACKGROUND_TERMS))[0]
    level, slope = standard[low:high], np.gradient(standard)[low:high]
    level = level - smooth @ (smooth.T @ level)
    if not level @ level > 1e-12 * (standard[low:high] @ standard[low:high]):
        raise ValueError("reference has no feature in the window: choose a window around an edge")
    basis = np.linalg.qr(np.column_stack([smooth, level]))[0]
    slope = slope - basis @ (basis.T @ slope)
    return slope / (slope @ slope), level / (level @ level)


def _whole_shift(mean: NDArray[np.float64], standard: NDArray[np.float64], low: int, high: int, largest: int) -> float:
    """Return the shift, whole channels, at which the mean spectrum correlates best with the reference."""
    steep = np.gradient(standard)[low:high]
    steep = steep - steep.mean()
    best, shift = -np.inf, 0
    for lag in range(-largest, largest + 1):
        if low - lag < 0 or high - lag > mean.size:
            continue
        seen = np.gradient(mean)[low - lag : high - lag]
        seen = seen - seen.mean()
        correlation = float(seen @ steep) / max(float(np.sqrt(seen @ seen)), 1e-30)
        if correlation > best:
            best, shift = correlation, lag
    return float(shift)
