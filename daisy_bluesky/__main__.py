"""The command line without its program: ``python -m daisy_bluesky``."""

from daisy_bluesky.cli import main

if __name__ == "__main__":
    main()
