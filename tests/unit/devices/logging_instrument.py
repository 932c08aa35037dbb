"""An instrument that writes down what is asked of it."""

import numpy as np

from daisy_bluesky.devices.backends import SimulatedClock

SPECTROMETERS = {
    "eds": {"offset": -0.2, "dispersion": 0.01, "channels": 2048, "unit": "keV"},
    "eels": {"offset": -20.0, "dispersion": 0.5, "channels": 1024, "unit": "eV"},
}


class LoggingInstrument:
    name = "log"
    pixel_size = 0.5
    detectors = frozenset({"haadf", "eds", "eels"})

    def __init__(self, shape=(4, 6), clock=None):
        self.shape = shape
        self.clock = clock or SimulatedClock()
        self.calls = []
        self.windows = []
        self.trouble = {}

    def describe(self, detector):
        return SPECTROMETERS.get(detector, {})

    def _log(self, *call):
        self.calls.append(call)
        self.trouble.get(call[0], lambda: None)()

    def blank(self):
        self._log("blank")

    def unblank(self):
        self._log("unblank")

    def place_probe(self, row, column):
        self._log("place_probe", row, column)

    def arm(self, detector, dwell):
        self._log("arm", detector, dwell)

    def read_out(self, detector, exposure):
        self._log("read_out", detector)
        self.windows.append((detector, exposure))
        if detector == "haadf":
            return {"intensity": exposure.row + exposure.column}
        spectrum = np.zeros(SPECTROMETERS[detector]["channels"], np.uint32)
        spectrum[7] = exposure.number
        return {"spectrum": spectrum, "live_time": 0.8 * exposure.dwell, "real_time": exposure.dwell}

    def restore(self, dwell_map):
        self._log("restore")

    @property
    def blanked(self):
        return [call[0] for call in self.calls if call[0] in ("blank", "unblank")][-1] == "blank"
