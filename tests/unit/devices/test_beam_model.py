"""The beam against a model of it that anyone can check by hand."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from logging_instrument import LoggingInstrument

from daisy_bluesky.devices import make_devices

KEYS = ("haadf", "eds", "eels")


class BeamMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.instrument = LoggingInstrument()
        self.devices = make_devices(self.instrument, settle_time=0.125, dwell_time=0.5, current=8.0)
        self.dwell = dict.fromkeys(KEYS, 0.5)
        self.current = 8.0
        self.position = (0, 0)
        self.exposures = []  # [pixel, current, {detector: dwell}]
        self.joinable = False
        self.settled = 0.0

    @rule(row=st.integers(0, 3), column=st.integers(0, 5))
    def move(self, row, column):
        self.devices.probe.set((row, column)).wait()
        self.position = (row, column)
        self.joinable = False
        self.settled += 0.125

    @rule(row=st.integers(0, 3))
    def move_one_axis(self, row):
        self.devices.probe.row.set(row).wait()
        self.position = (row, self.position[1])
        self.joinable = False
        self.settled += 0.125

    @rule(key=st.sampled_from(KEYS), eighths=st.integers(1, 16))
    def change_dwell_time(self, key, eighths):
        self.dwell[key] = eighths / 8
        getattr(self.devices, key).prepare(eighths / 8)

    @rule(current=st.integers(1, 50))
    def change_current(self, current):
        self.current = float(current)
        self.devices.beam.current.put(float(current))

    @rule(key=st.sampled_from(KEYS))
    def trigger(self, key):
        getattr(self.devices, key).trigger().wait()
        if not self.joinable or key in self.exposures[-1][2]:
            self.exposures.append([self.position, self.current, {}])
        self.joinable = True
        self.exposures[-1][2][key] = self.dwell[key]

    @rule(success=st.booleans())
    def stop(self, success):
        self.devices.probe.stop(success=success)
        self.joinable = self.joinable and success

    @invariant()
    def the_account_is_right(self):
        beam = self.devices.beam
        visits, seconds, charge = np.zeros((4, 6), int), np.zeros((4, 6)), np.zeros((4, 6))
        for pixel, current, dwells in self.exposures:
            visits[pixel] += 1
            seconds[pixel] += max(dwells.values())
            charge[pixel] += current * max(dwells.values())
        np.testing.assert_array_equal(beam.visits, visits)
        np.testing.assert_allclose(beam.dwell_map, seconds, rtol=1e-12)
        np.testing.assert_allclose(beam.dose, charge * 6241509.074460763 / 25.0, rtol=1e-12)
        np.testing.assert_allclose(beam.charge, charge.sum(), rtol=1e-12)
        np.testing.assert_allclose(self.instrument.clock.now(), seconds.sum() + self.settled, rtol=1e-12)
        assert beam.exposures == len(self.exposures)
        assert self.instrument.blanked


BeamMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestBeamAgainstModel = BeamMachine.TestCase
