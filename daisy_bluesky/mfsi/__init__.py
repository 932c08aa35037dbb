"""Multi-frame spectrum imaging: fast frames registered, summed and mapped; repeats and information content."""

from daisy_bluesky.mfsi._aligned_image import AlignedSum
from daisy_bluesky.mfsi._common_distortion import CommonDistortion
from daisy_bluesky.mfsi._damage_monitor import Damage, DamageMonitor
from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._eels_sum_energy import edge_shift, zero_loss_shift
from daisy_bluesky.mfsi._experiment_design import ColumnPrediction, counts_per_nm2, frames_needed
from daisy_bluesky.mfsi._experiment_design_dose import SeriesDose, pixel_grid
from daisy_bluesky.mfsi._lattice import Lattice, find_lattice
from daisy_bluesky.mfsi._maps import ElementMap, edge_map, line_maps
from daisy_bluesky.mfsi._register import register
from daisy_bluesky.mfsi._registrar import Registrar
from daisy_bluesky.mfsi._registration import Registration
from daisy_bluesky.mfsi._scree import InformationContent, Scree, information_content, scree_of_spectra
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, moved_frame
from daisy_bluesky.mfsi._template import Repeats, find_motif, find_repeats
from daisy_bluesky.mfsi._template_folding import fold_frame, fold_image

__all__ = [
    "AlignedSum",
    "ColumnPrediction",
    "CommonDistortion",
    "Damage",
    "DamageMonitor",
    "EelsSum",
    "ElementMap",
    "InformationContent",
    "Lattice",
    "MovedFrame",
    "Registrar",
    "Registration",
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
    "register",
    "scree_of_spectra",
    "zero_loss_shift",
]
