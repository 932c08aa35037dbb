"""Committed spectra keep decoding, by the package and by a reader that knows nothing but the specification.

They are not compared when written: what predicts them is fitted in floating point, which differs between platforms.
To write them anew: ``python tests/unit/lbj/test_lbj_spectra_golden.py``.
"""

from pathlib import Path

import numpy as np
import pytest
from spectra_by_specification import blocks, exact, offsets, quantised

from daisy_bluesky import lbj

GOLDEN = Path(__file__).parents[2] / "golden" / "lbj"
BLOCKS = [(0, 7), (20, 1), (29, 40), (33, 4)]
CHANNELS = 48


def drawn(spectra):
    """Spectra without numpy's random numbers, (spectra, channels) whole counts around an edge."""
    state, values = 1, np.empty((spectra, CHANNELS))
    for i in range(spectra):
        for channel in range(CHANNELS):
            noise = 0
            for _ in range(6):
                state = (6364136223846793005 * state + 1442695040888963407) % 2**64
                noise += (state >> 40) % 31 - 15
            values[i, channel] = noise + 3 * (CHANNELS - channel) + 40 * (i % 4) * (channel > 30) // (channel - 29 or 1)
    return values


def fine(spectra):
    """The same with odd fractions, (spectra, channels)."""
    return drawn(spectra) * (1 + np.sqrt(np.arange(spectra * CHANNELS).reshape(spectra, CHANNELS) + 2) % 1 / 97)


def special(values):
    values[2, 5], values[3, 6], values[4, 7], values[5, 8] = np.nan, np.inf, -0.0, 3e7
    return values


FLOATS = (special(drawn(20)) * np.linspace(0.9, 1.1, CHANNELS)).astype(np.float32)
CASES = {
    "whole": (special(9 * drawn(40)).astype(np.float32), {}),
    "float32": (FLOATS, {}),
    "float64": (fine(10), {}),
    "float16": (fine(20).astype(np.float16), {}),
    "integers": (drawn(16).astype(np.int16), {}),
    "few": (drawn(3).astype(np.int32), {}),
    "few-floats": (fine(4).astype(np.float32), {}),
    "offsets": (special(100 * drawn(20) - np.sqrt(2 + np.arange(CHANNELS)) % 1).astype(np.float32), {}),
    "offsets-float64": (drawn(12) + np.sqrt(2 + np.arange(CHANNELS)) % 1, {}),
    "quantised": (FLOATS, {"sigma": 1.0}),
    "quantised-few": (fine(3), {"sigma": 0.5}),
    "blocks": ((drawn(16) - 40).astype(np.float32), {"blocks": BLOCKS}),
    "blocks-integers": ((drawn(16) - 40).astype(np.int16), {"blocks": BLOCKS}),
}


def parts(name):
    data = (GOLDEN / f"eels-{name}.lbj").read_bytes()
    place = 20 + int.from_bytes(data[12:16], "little")
    return data, data[place + 3], data[place + 20 :]


@pytest.mark.parametrize("name", [name for name, (_, options) in CASES.items() if not options])
def test_exact_spectra_are_what_they_were(name):
    array = CASES[name][0]
    data, codec, payload = parts(name)
    assert codec == (19 if name.startswith("offsets") else 16)
    assert lbj.loads(data).tobytes() == array.tobytes()
    decode = offsets if codec == 19 else exact
    assert decode(payload, array.size, array.dtype).tobytes() == array.tobytes()


@pytest.mark.parametrize("name", ["quantised", "quantised-few"])
def test_quantised_spectra_decode_as_specified(name):
    array, options = CASES[name]
    data, codec, payload = parts(name)
    assert codec == 17
    restored = quantised(payload, array.size, array.dtype)
    assert lbj.loads(data).tobytes() == restored.tobytes()
    usual = np.isfinite(array.reshape(-1))
    assert np.abs(restored[usual] - array.reshape(-1)[usual]).max() < 60 * options["sigma"]


@pytest.mark.parametrize("name", ["blocks", "blocks-integers"])
def test_blocks_decode_as_specified(name):
    array = CASES[name][0]
    data, codec, payload = parts(name)
    assert codec == 18
    restored, bias = blocks(payload, array.size, array.dtype)
    assert lbj.loads(data).tobytes() == restored.tobytes()
    np.testing.assert_array_equal(lbj.bias(data), bias)
    np.testing.assert_array_equal(restored.reshape(array.shape)[:, 20:29], array[:, 20:29])


if __name__ == "__main__":
    for name, (array, options) in CASES.items():
        (GOLDEN / f"eels-{name}.lbj").write_bytes(lbj.dumps(array, **options))
