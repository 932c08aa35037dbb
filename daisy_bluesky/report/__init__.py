"""Pictures and tables of a run, beside the rasters a microscopist would run instead."""

from daisy_bluesky.report._acquisition import Acquisition
from daisy_bluesky.report._break_even import BreakEven, break_even
from daisy_bluesky.report._element_maps import ElementMap, draw_element_maps, element_maps
from daisy_bluesky.report._outcome import GroundTruth, MapOutcome
from daisy_bluesky.report._picture import draw_report
from daisy_bluesky.report._raster_plans import RasterPlan, equal_electrons, equal_time, flying_raster, full_raster
from daisy_bluesky.report._rasters import raster_rivals, run_raster
from daisy_bluesky.report._read_run import read_run
from daisy_bluesky.report._recorded import HeldOut, recorded_outcomes
from daisy_bluesky.report._rehearsal_picture import draw_rehearsal
from daisy_bluesky.report._rehearsal_table import print_rehearsal, recommended_plan, rehearsal_table, rehearsal_verdict
from daisy_bluesky.report._rehearsed_survey import rehearse_survey
from daisy_bluesky.report._run import RunSummary
from daisy_bluesky.report._series_figures import frame_path, series_figures
from daisy_bluesky.report._series_picture import draw_series
from daisy_bluesky.report._series_table import maps_table, series_table
from daisy_bluesky.report._table import figures_table, outcome_table
from daisy_bluesky.report._verdict import verdict

__all__ = [
    "Acquisition",
    "BreakEven",
    "ElementMap",
    "GroundTruth",
    "HeldOut",
    "MapOutcome",
    "RasterPlan",
    "RunSummary",
    "break_even",
    "draw_element_maps",
    "draw_rehearsal",
    "draw_report",
    "draw_series",
    "element_maps",
    "equal_electrons",
    "equal_time",
    "figures_table",
    "flying_raster",
    "frame_path",
    "full_raster",
    "maps_table",
    "outcome_table",
    "print_rehearsal",
    "raster_rivals",
    "read_run",
    "recommended_plan",
    "recorded_outcomes",
    "rehearsal_table",
    "rehearsal_verdict",
    "rehearse_survey",
    "run_raster",
    "series_figures",
    "series_table",
    "verdict",
]
