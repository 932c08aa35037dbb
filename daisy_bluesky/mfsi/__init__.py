"""Multi-frame spectrum imaging: sums, maps, repeats and information content of registered frames."""

from daisy_bluesky.mfsi._damage_monitor import Damage, DamageMonitor
from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._eels_sum_energy import edge_shift, zero_loss_shift
from daisy_bluesky.mfsi._experiment_design import ColumnPrediction, counts_per_nm2, frames_needed
from daisy_bluesky.mfsi._experiment_design_dose import SeriesDose, pixel_grid
from daisy_bluesky.mfsi._lattice import Lattice, find_lattice
from daisy_bluesky.mfsi._maps import ElementMap, edge_map, line_maps
from daisy_bluesky.mfsi._scree import InformationContent, Scree, information_content, scree_of_spectra
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, moved_frame
from daisy_bluesky.mfsi._template import Repeats, find_motif, find_repeats
from daisy_bluesky.mfsi._template_folding import fold_frame, fold_image

__all__ = [
    "ColumnPrediction",
    "Damage",
    "DamageMonitor",
    "EelsSum",
    "ElementMap",
    "InformationContent",
    "Lattice",
    "MovedFrame",
    "Repeats",
    "Scree",
    "SeriesDose",
    "SpectrumSum",
    "counts_per_nm2",
    "edge_map",
    "edge_shift",
    "find_lattice",
    "find_motif",
    "find_repeats",
    "fold_frame",
    "fold_image",
    "frames_needed",
    "information_content",
    "line_maps",
    "moved_frame",
    "pixel_grid",
    "scree_of_spectra",
    "zero_loss_shift",
]
