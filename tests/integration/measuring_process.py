"""A process that maps a virtual specimen in a session, to be killed.

Usage: measuring_process.py SIDE SEED; the data folder is what DAISY_DATA says.

It says "saved N" after each event that every subscriber has had.
"""

import sys

from daisy_bluesky.config import load_settings
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.session import start


def tell(name, document):
    if name == "event" and "eds_spectrum" in document["data"]:
        sys.stdout.write(f"saved {document['seq_num']}\n")
        sys.stdout.flush()


def main(side, seed):
    settings = load_settings(shape=(int(side), int(side)), seed=int(seed))
    with start(settings=settings) as session:
        plan = adaptive_map([session.haadf, session.eds], session.probe, fraction=1.0, seed=int(seed))
        session.RE(plan, tell)


if __name__ == "__main__":
    main(*sys.argv[1:])
