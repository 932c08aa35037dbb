"""Gate tables: what is claimed, measured beside the best alternative in the same run."""

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._table import run_table

__all__ = ["Gate", "run_table"]
