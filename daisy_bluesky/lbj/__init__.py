"""LBJ, the listed-bin-journal: spectra and event lists in an open, append-only file that survives crashes.

The format is specified in ``docs/reference/lbj-format.md``.
"""

from daisy_bluesky.lbj._blob import bias, dumps, guarantee, loads
from daisy_bluesky.lbj._convert import convert
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._examination import Fault, Summary, summary, verify
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._reader import Reader
from daisy_bluesky.lbj._repair import Repaired, repair
from daisy_bluesky.lbj._writer import Writer

__all__ = [
    "Fault",
    "Guarantee",
    "Header",
    "LBJError",
    "Reader",
    "Repaired",
    "Summary",
    "Writer",
    "bias",
    "convert",
    "dumps",
    "guarantee",
    "loads",
    "repair",
    "summary",
    "verify",
]
