"""A microscope whose specimen is a recording."""

from daisy_bluesky.devices.backends._virtual import VirtualInstrument


class RecordedInstrument(VirtualInstrument):
    """Exposes a recorded spectrum image, pixel by pixel; parameters as for `VirtualInstrument`.

    A pixel gives no more than was recorded of it: an exposure beyond the recorded dwell time fails with the recording's
    ValueError. Only EDS counts can be thinned to shorter dwell times.
    """

    name = "recorded"
