"""Start the session: RunEngine, journal, catalog, devices."""

from daisy_bluesky.session import start

daisy = start()
RE = daisy.RE
catalog = daisy.catalog
