"""Values under a guarantee as payloads: counts or spectra, whichever is smaller."""

from typing import Any

from numpy.typing import NDArray

from daisy_bluesky.lbj._codecs import encode_item
from daisy_bluesky.lbj._counts_codec import encode_alone
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._model_fit import Noise
from daisy_bluesky.lbj._spectra_codecs import encode_spectra

_CROWDED = 8  # voxels per byte below which spectra are tried


def encode_values(values: NDArray[Any], guarantee: Guarantee, noise: Noise | None = None) -> tuple[int, bytes]:
    """Return codec and payload of an item under a guarantee: an exact one in the fewest bytes, counts or spectra.

    Parameters
    ----------
    values : (voxels,) of the file's dtype
        The item, flattened in C order.
    guarantee : Guarantee
        What is asked for.
    noise : Noise, optional
        Of the values, where they are to be quantised; fitted to them when None.

    Raises
    ------
    ValueError
        If a value to be down-sampled is not finite.
    """
    if guarantee.kind != "exact":
        return encode_spectra(values, guarantee, noise) or encode_item(values)
    best = encode_alone(values, guarantee.channels)
    if len(best[1]) * _CROWDED < values.size:
        return best
    spectra = encode_spectra(values, guarantee)
    return best if spectra is None or len(best[1]) <= len(spectra[1]) else spectra
