"""Plans: ours, and the stock ones under their customary names."""

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
from bluesky.magics import BlueskyMagics

from daisy_bluesky.callbacks import DamageWatcher, FrameSum, ScreeWatcher, SignalWindow
from daisy_bluesky.devices import FrameScan
from daisy_bluesky.plans import Steering, adaptive_map, multiframe_map, raster_map, sparse_map

get_ipython().register_magics(BlueskyMagics)
