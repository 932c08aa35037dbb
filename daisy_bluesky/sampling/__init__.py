"""Where to measure next, and the best map from what was measured."""

from daisy_bluesky.sampling import patterns
from daisy_bluesky.sampling._break_even import break_even_dwell, break_even_overhead
from daisy_bluesky.sampling._counted_spectra import draw_counts, draw_evidence
from daisy_bluesky.sampling._dose_allocator import DoseAllocator
from daisy_bluesky.sampling._field_checks import checked_mask, checked_region_preference
from daisy_bluesky.sampling._forecast import Forecast
from daisy_bluesky.sampling._grey import COVARIANCES, reconstruct_values
from daisy_bluesky.sampling._guided_slads import GuidedSlads
from daisy_bluesky.sampling._images import read_grey_image, read_label_maps
from daisy_bluesky.sampling._kriging import Covariance
from daisy_bluesky.sampling._metrics import small_objects_found, total_distortion
from daisy_bluesky.sampling._model import SladsModel
from daisy_bluesky.sampling._noisy_values import reconstruct_noisy
from daisy_bluesky.sampling._objective import PHASES, Objective, checked_weights
from daisy_bluesky.sampling._objectives import Objectives
from daisy_bluesky.sampling._plausible_maps import plausible_phase_map
from daisy_bluesky.sampling._potts import potts_posterior
from daisy_bluesky.sampling._preferred_regions import PREFERENCE, PreferredRegions
from daisy_bluesky.sampling._reconstruction import reconstruct, vote
from daisy_bluesky.sampling._rehearsal import Rehearsal, rehearse
from daisy_bluesky.sampling._slads import Slads
from daisy_bluesky.sampling._survey import Survey
from daisy_bluesky.sampling._training import train
from daisy_bluesky.sampling._visit_cost import VisitCost

__all__ = [
    "COVARIANCES",
    "PHASES",
    "PREFERENCE",
    "Covariance",
    "DoseAllocator",
    "Forecast",
    "GuidedSlads",
    "Objective",
    "Objectives",
    "PreferredRegions",
    "Rehearsal",
    "Slads",
    "SladsModel",
    "Survey",
    "VisitCost",
    "break_even_dwell",
    "break_even_overhead",
    "checked_mask",
    "checked_region_preference",
    "checked_weights",
    "draw_counts",
    "draw_evidence",
    "patterns",
    "plausible_phase_map",
    "potts_posterior",
    "read_grey_image",
    "read_label_maps",
    "reconstruct",
    "reconstruct_noisy",
    "reconstruct_values",
    "rehearse",
    "small_objects_found",
    "total_distortion",
    "train",
    "vote",
]
