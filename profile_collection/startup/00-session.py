"""Start the session: RunEngine, journal, catalog, devices."""

import logging

from rich.console import Console

from daisy_bluesky.callbacks import ProgressReporter
from daisy_bluesky.session import rehearse, start

# IPython shows what a plan raises; where nobody takes bluesky's log, Python would show it a second time
logging.getLogger("bluesky").addHandler(logging.NullHandler())

daisy = start()
RE = daisy.RE
catalog = daisy.catalog
daisy.journal.subscribe(ProgressReporter())

for uid in daisy.recovered:
    Console().print(f"Closed run {uid}, which a dead process left; go on with its plan: continue_from={uid[:8]!r}")


def wait_for_tiled(_):
    """After every cell, so that catalog[-1] is the run just measured."""
    if daisy.uploader.status.error is None:
        daisy.uploader.flush(5.0)


get_ipython().events.register("post_run_cell", wait_for_tiled)
