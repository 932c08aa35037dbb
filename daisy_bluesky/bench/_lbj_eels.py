"""What EELS spectrum images shrink to, exactly and otherwise, and what that does to what is measured in them."""

import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from time import thread_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky import lbj
from daisy_bluesky.bench._eels_image import BLOCKS, EELSImage, gain_corrected, simulated, window_sums
from daisy_bluesky.bench._gate import Gate

SEED = 0
NAMES = "60 x 94 x 2,048 EELS, 28,000 electrons a pixel"
EXACT_WANTED, PAPER_WANTED = 4.8, 19.4
QUANTISED_WANTED = {1.0: 14.0, 2.0: 21.0}
ABOVE_FLOOR = 1.05
EDGE_KEPT = 0.9
MEASURED = "eels_LSMO_linescans.npz"


def measure(data: Path) -> Iterator[Gate]:
    """Measure the gates of EELS spectrum images, simulated with a fixed seed, and of measured line scans."""
    image = simulated(SEED)
    yield _exact(image)
    for step, wanted in QUANTISED_WANTED.items():
        yield _quantised(image, step, wanted)
    yield _blocks(image)
    yield _rare_edges(image)
    yield _floats(image)
    yield from _measured(data / MEASURED)


def _exact(image: EELSImage) -> Gate:
    blob, seconds = _timed(lbj.dumps, image.values)
    restored, reading = _timed(lbj.loads, blob)
    ratio, floor = image.values.nbytes / len(blob), 32 / float(np.mean(_gaussian_bits(image.sigma)))
    whole = restored.tobytes() == image.values.tobytes()
    return Gate(
        f"{NAMES}, raw whole counts in float32, bit-exact: times smaller (seed {SEED})",
        f"{ratio:.2f}{'' if whole else ', NOT RESTORED'}",
        f">= {EXACT_WANTED:g}",
        whole and ratio >= EXACT_WANTED,
        f"noise floor {floor:.2f}, {_peers(image.values)}; {seconds:.1f} s to write, {reading:.1f} s to read",
        {"ratio": ratio, "floor": floor, "write_s": seconds, "read_s": reading},
    )


def _quantised(image: EELSImage, step: float, wanted: float) -> Gate:
    blob, _ = _timed(lbj.dumps, image.values, sigma=step)
    ratio = image.values.nbytes / len(blob)
    error = (lbj.loads(blob).astype(np.float64) - image.values) / image.sigma
    mean, variance = float(error.mean()), float(error.var())
    bias = mean / np.sqrt(variance / error.size)
    floor = 32 / float(_gaussian_bits(np.sqrt(1 / step**2 + 1 / 12)))
    return Gate(
        f"{NAMES}, in steps of {step:g} sigma: times smaller",
        f"{ratio:.1f}",
        f">= {wanted:g}",
        ratio >= wanted,
        f"floor of dithered steps {floor:.1f}; mean error {mean:.1e} sigma ({bias:+.1f} standard errors), "
        f"added variance {variance:.4f} sigma^2 (stated {step**2 / 12:.4f})",
        {"ratio": ratio, "floor": floor, "mean_error": mean, "added_variance": variance},
    )


def _blocks(image: EELSImage) -> Gate:
    blob, _ = _timed(lbj.dumps, image.values, blocks=BLOCKS)
    ratio = image.values.nbytes / len(blob)
    bias = lbj.bias(blob)
    restored = lbj.loads(blob)
    measured = (restored.astype(np.float64) - image.values).reshape(-1, bias.size).mean(axis=0)
    sigma = np.sqrt(np.mean(image.sigma.reshape(-1, bias.size) ** 2, axis=0))
    samples, largest = lbj.guarantee(blob).samples, float(np.abs(measured / sigma).max())
    return Gate(
        f"{NAMES}, channel blocks down-sampled 1 to 36 times, {samples} numbers a spectrum: times smaller",
        f"{ratio:.1f}",
        f">= {PAPER_WANTED:g}",
        ratio >= PAPER_WANTED,
        f"the paper's scheme 19.4 on its own data; bias of a channel at most {largest:.2f} sigma, stored within "
        f"{np.abs(bias - measured).max() / sigma.min():.4f} sigma",
        {"ratio": ratio, "samples": float(samples), "largest_bias_sigma": largest},
    )


def _rare_edges(image: EELSImage) -> Gate:
    restored = lbj.loads(lbj.dumps(image.values, sigma=1.0))
    down_sampled = lbj.loads(lbj.dumps(image.values, blocks=BLOCKS))
    raw, kept, averaged, erased = (
        _significance(image, values) for values in (image.values, restored, down_sampled, _principal(image.values, 30))
    )
    return Gate(
        f"{len(image.edges)} unforeseen edges in 12 pixels each, in steps of 1 sigma: share of their z that is kept",
        f"{kept / raw:.0%}",
        f">= {EDGE_KEPT:.0%}",
        kept >= EDGE_KEPT * raw,
        f"z raw {raw:.2f}, 1 sigma {kept:.2f}, channel blocks {averaged:.2f}, 30 principal components as in "
        f"the paper's scheme {erased:.2f}",
        {"raw": raw, "kept": kept, "blocks": averaged, "principal_components": erased},
    )


def _floats(image: EELSImage) -> Gate:
    values, gain = gain_corrected(image, SEED)
    bits = 8 * len(lbj.dumps(values)) / values.size
    finest = np.log2(np.spacing(np.abs(values)).astype(np.float64))
    floor = float(np.mean(_gaussian_bits(image.sigma * gain) - finest))
    return Gate(
        f"{NAMES}, corrected floats without their references, bit-exact: bits a voxel over their noise floor",
        f"{bits / floor:.3f} x",
        f"<= {ABOVE_FLOOR:g} x",
        bits <= ABOVE_FLOOR * floor,
        f"{bits:.2f} bits, floor {floor:.2f}; with the raw counts and their references "
        f"{8 * len(_with_references(image, gain)) / values.size:.2f} bits; {_peers(values)}",
        {"bits": bits, "floor": floor},
    )


def _with_references(image: EELSImage, gain: NDArray[np.float32]) -> bytes:
    return lbj.dumps(image.values.astype(np.int16), dark=image.dark, gain=gain)


def _measured(file: Path) -> Iterator[Gate]:
    if not file.is_file():
        yield Gate(f"measured EELS line scans: skipped, there is no {file}", "-")
        return
    with np.load(file, allow_pickle=False) as archive:
        arrays = [(name, archive[name]) for name in archive.files if archive[name].ndim == 2]
    for name, array in arrays:
        exact, noise = len(lbj.dumps(array)), len(lbj.dumps(array, sigma=1.0))
        yield Gate(
            f"measured EELS line scan {name}, {array.shape} {array.dtype}, bit-exact: times smaller",
            f"{array.nbytes / exact:.2f}",
            beside=f"{_peers(array)}; in steps of 1 sigma {array.nbytes / noise:.1f}",
            figures={"ratio": array.nbytes / exact, "quantised": array.nbytes / noise},
        )


def _significance(image: EELSImage, values: NDArray[Any]) -> float:
    """Return how many standard errors the unforeseen edges stand above the rest of the map, the mean over all."""
    found = []
    for edge in image.edges:
        signal = window_sums(values, edge.channel)
        inside, outside = signal[edge.pixels], np.delete(signal, edge.pixels)
        noise = np.sqrt(np.mean(window_sums(image.sigma**2, edge.channel, absolute=True)) / edge.pixels.size)
        found.append((inside.mean() - outside.mean()) / noise)
    return float(np.mean(found))


def _principal(values: NDArray[np.float32], components: int) -> NDArray[np.float64]:
    """Return spectra reduced to their first principal components, as the paper's scheme does before down-sampling."""
    flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
    mean = flat.mean(axis=0)
    scale = np.sqrt(np.maximum(mean, 1))
    scaled = (flat - mean) / scale
    directions = np.linalg.eigh(scaled.T @ scaled)[1][:, -components:]
    return np.asarray(((scaled @ directions) @ directions.T * scale + mean).reshape(values.shape))


def _gaussian_bits(sigma: Any) -> NDArray[np.float64]:
    return np.asarray(np.log2(math.sqrt(2 * math.pi * math.e) * np.asarray(sigma)))


def _peers(values: NDArray[Any]) -> str:
    from numcodecs import Blosc  # type: ignore[import-untyped]

    raw = np.ascontiguousarray(values)
    zipped = len(zlib.compress(raw.tobytes(), 6))
    shuffled = len(Blosc("zstd", clevel=9, shuffle=Blosc.BITSHUFFLE).encode(raw))
    return f"zip {raw.nbytes / zipped:.2f}, blosc bitshuffle + zstd {raw.nbytes / shuffled:.2f}"


def _timed(function: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[Any, float]:
    began = thread_time()
    result = function(*arguments, **options)
    return result, thread_time() - began
