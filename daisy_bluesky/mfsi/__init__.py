"""Multi-frame spectrum imaging: fast frames registered, summed and mapped; repeats and information content."""

from daisy_bluesky.mfsi._aligned_image import AlignedSum
from daisy_bluesky.mfsi._camera_noise import CameraNoise, estimated_noise
from daisy_bluesky.mfsi._common_distortion import CommonDistortion
from daisy_bluesky.mfsi._damage_monitor import Damage, DamageMonitor
from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._eels_sum_energy import edge_shift, zero_loss_shift
from daisy_bluesky.mfsi._experiment_design import ColumnPrediction, counts_per_nm2, frames_needed
from daisy_bluesky.mfsi._experiment_design_dose import SeriesDose, pixel_grid
from daisy_bluesky.mfsi._lattice import Lattice, find_lattice
from daisy_bluesky.mfsi._maps import ElementMap, edge_map, line_maps
from daisy_bluesky.mfsi._process_series import ProcessedSeries, process_series
from daisy_bluesky.mfsi._register import register
from daisy_bluesky.mfsi._registrar import Registrar
from daisy_bluesky.mfsi._registration import Registration
from daisy_bluesky.mfsi._scree import InformationContent, Scree, information_content, scree_of_spectra
from daisy_bluesky.mfsi._series_damage import WatchedSignal
from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.mfsi._series_information import DoseScree
from daisy_bluesky.mfsi._series_lines import lines_seen
from daisy_bluesky.mfsi._series_motif import FoldedMotif
from daisy_bluesky.mfsi._series_options import SeriesOptions
from daisy_bluesky.mfsi._series_placement import Placement, place_frames
from daisy_bluesky.mfsi._spectra_folding import fold_spectra
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, moved_frame
from daisy_bluesky.mfsi._template import Repeats, find_motif, find_repeats
from daisy_bluesky.mfsi._template_folding import fold_frame, fold_image
from daisy_bluesky.mfsi._window_maps import line_windows, smooth_maps, window_maps
from daisy_bluesky.mfsi._workers import Workers

__all__ = [
    "AlignedSum",
    "CameraNoise",
    "ColumnPrediction",
    "CommonDistortion",
    "Damage",
    "DamageMonitor",
    "DoseScree",
    "EelsSum",
    "ElementMap",
    "FoldedMotif",
    "InformationContent",
    "Lattice",
    "MovedFrame",
    "Placement",
    "ProcessedSeries",
    "Registrar",
    "Registration",
    "Repeats",
    "Scree",
    "SeriesDose",
    "SeriesFrames",
    "SeriesOptions",
    "SpectrumSum",
    "WatchedSignal",
    "Workers",
    "counts_per_nm2",
    "edge_map",
    "edge_shift",
    "estimated_noise",
    "find_lattice",
    "find_motif",
    "find_repeats",
    "fold_frame",
    "fold_image",
    "fold_spectra",
    "frames_needed",
    "information_content",
    "line_maps",
    "line_windows",
    "lines_seen",
    "moved_frame",
    "pixel_grid",
    "place_frames",
    "process_series",
    "register",
    "scree_of_spectra",
    "smooth_maps",
    "window_maps",
    "zero_loss_shift",
]
