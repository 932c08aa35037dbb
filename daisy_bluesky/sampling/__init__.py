"""Where to measure next, and the best map from what was measured."""

from daisy_bluesky.sampling import patterns
from daisy_bluesky.sampling._dose_allocator import DoseAllocator
from daisy_bluesky.sampling._grey import reconstruct_values
from daisy_bluesky.sampling._images import read_label_maps
from daisy_bluesky.sampling._metrics import small_objects_found, total_distortion
from daisy_bluesky.sampling._model import SladsModel
from daisy_bluesky.sampling._objective import PHASES, Objective
from daisy_bluesky.sampling._objectives import Objectives
from daisy_bluesky.sampling._potts import potts_posterior
from daisy_bluesky.sampling._reconstruction import reconstruct, vote
from daisy_bluesky.sampling._slads import Slads
from daisy_bluesky.sampling._training import train
from daisy_bluesky.sampling._visit_cost import VisitCost

__all__ = [
    "PHASES",
    "DoseAllocator",
    "Objective",
    "Objectives",
    "Slads",
    "SladsModel",
    "VisitCost",
    "patterns",
    "potts_posterior",
    "read_label_maps",
    "reconstruct",
    "reconstruct_values",
    "small_objects_found",
    "total_distortion",
    "train",
    "vote",
]
