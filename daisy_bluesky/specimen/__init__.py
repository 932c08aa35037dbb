"""The virtual microscope's sample: phantoms and the physics that turns them into counts."""

from daisy_bluesky.specimen._phase import Phase

__all__ = ["Phase"]
