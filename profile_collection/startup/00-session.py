"""Start the session: RunEngine, journal, catalog, devices."""

from daisy_bluesky.callbacks import ProgressReporter
from daisy_bluesky.session import start

daisy = start()
RE = daisy.RE
catalog = daisy.catalog
daisy.journal.subscribe(ProgressReporter())
