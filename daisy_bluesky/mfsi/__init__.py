"""Multi-frame spectrum imaging: sums, maps, repeats and information content of registered frames."""

from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._eels_sum_energy import edge_shift, zero_loss_shift
from daisy_bluesky.mfsi._lattice import Lattice, find_lattice
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, moved_frame
from daisy_bluesky.mfsi._template import Repeats, find_motif, find_repeats
from daisy_bluesky.mfsi._template_folding import fold_frame, fold_image

__all__ = [
    "EelsSum",
    "Lattice",
    "MovedFrame",
    "Repeats",
    "SpectrumSum",
    "edge_shift",
    "find_lattice",
    "find_motif",
    "find_repeats",
    "fold_frame",
    "fold_image",
    "moved_frame",
    "zero_loss_shift",
]
