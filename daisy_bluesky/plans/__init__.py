"""Plans: what to do."""

from daisy_bluesky.plans._adaptive_map import adaptive_map
from daisy_bluesky.plans._multiframe_map import multiframe_map
from daisy_bluesky.plans._static_maps import raster_map, sparse_map
from daisy_bluesky.plans._steering import Steering

__all__ = ["Steering", "adaptive_map", "multiframe_map", "raster_map", "sparse_map"]
