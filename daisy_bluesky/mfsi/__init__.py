"""Multi-frame spectrum imaging: sums, maps, repeats and information content of registered frames."""

from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._eels_sum_energy import edge_shift, zero_loss_shift
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, moved_frame

__all__ = ["EelsSum", "MovedFrame", "SpectrumSum", "edge_shift", "moved_frame", "zero_loss_shift"]
