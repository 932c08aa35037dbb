"""The virtual microscope's sample: phantoms and the physics that turns them into counts."""

from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.specimen._recorded import RecordedSpecimen

__all__ = ["Phase", "RecordedSpecimen"]
