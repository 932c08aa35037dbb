"""CPU time per event of the bare message loop with the devices, beside the same loop with devices that do nothing.

Run: python benchmarks/device_loop.py [events]
"""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from bluesky import Msg, RunEngine

from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices._status import FinishedStatus
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.protocols import Exposure
from daisy_bluesky.spectra import EnergyAxis

SHAPE = (64, 64)


class FlatSpecimen:
    """Gives the same arrays every time: the physics costs nothing."""

    shape = SHAPE
    pixel_size = 1.0
    eds_axis = EnergyAxis(0.0, 0.01, 2048)
    eels_axis = None

    def __init__(self) -> None:
        self._answer = {"spectrum": np.ones(2048, np.uint32), "live_time": 0.009, "real_time": 0.01}

    def haadf(self, _exposure: Exposure) -> float:
        return 1.0

    def eds(self, _exposure: Exposure) -> Mapping[str, Any]:
        return self._answer

    def eels(self, _exposure: Exposure) -> Mapping[str, Any]:
        return {"spectrum": np.ones(1024, np.float32)}


class Nothing:
    """The least that the RunEngine takes for a device."""

    parent = None

    def __init__(self, name: str, **values: Any) -> None:
        self.name = name
        self._values = {f"{name}_{key}": value for key, value in values.items()}

    def set(self, _value):
        return FinishedStatus()

    def trigger(self):
        return FinishedStatus()

    def read(self):
        now = time.time()
        return {key: {"value": value, "timestamp": now} for key, value in self._values.items()}

    def describe(self):
        return {
            key: {
                "source": "nothing",
                "dtype": "array" if np.shape(value) else "number",
                "shape": list(np.shape(value)),
            }
            for key, value in self._values.items()
        }

    def read_configuration(self):
        return {}

    def describe_configuration(self):
        return {}


def loop(probe: Any, detectors: list[Any], readables: list[Any], events: int) -> Iterator[Msg]:
    yield Msg("open_run")
    for i in range(events):
        yield Msg("set", probe, divmod(i % (SHAPE[0] * SHAPE[1]), SHAPE[1]), group="move")
        yield Msg("wait", None, group="move")
        for detector in detectors:
            yield Msg("trigger", detector, group="expose")
        yield Msg("wait", None, group="expose")
        yield Msg("create", None, name="primary")
        for readable in readables:
            yield Msg("read", readable)
        yield Msg("save")
        yield Msg("checkpoint")
    yield Msg("close_run")


def device_calls(devices: Any, events: int) -> float:
    """CPU ms per event of the devices alone, without a RunEngine."""
    began = time.process_time()
    for i in range(events):
        devices.probe.set(divmod(i % (SHAPE[0] * SHAPE[1]), SHAPE[1]))
        devices.haadf.trigger()
        devices.eds.trigger()
        devices.probe.read()
        devices.haadf.read()
        devices.eds.read()
    return (time.process_time() - began) / events * 1e3


def measure(engine: RunEngine, plan: Iterator[Msg], events: int) -> float:
    began = time.process_time()
    engine(plan)
    return (time.process_time() - began) / events * 1e3


def main(events: int) -> None:
    engine = RunEngine({})
    devices = make_devices(VirtualInstrument(FlatSpecimen()))
    ours = (devices.probe, [devices.haadf, devices.eds], [devices.probe, devices.haadf, devices.eds])
    nothing = Nothing("probe", row=0.0, column=0.0, x=0.0, y=0.0)
    haadf = Nothing("haadf", intensity=1.0)
    eds = Nothing("eds", spectrum=np.ones(2048, np.uint32), live_time=0.0, real_time=0.0, dead_time=0.0)
    bare = (nothing, [haadf, eds], [nothing, haadf, eds])
    rows = [
        (
            measure(engine, loop(*bare, events), events),
            measure(engine, loop(*ours, events), events),
            measure(engine, loop(ours[0], ours[1], [*ours[2], devices.beam], events), events),
            device_calls(devices, events),
        )
        for _ in range(5)
    ]
    names = ("devices that do nothing", "these devices", "these devices, beam read too", "these devices, no RunEngine")
    for name, values in zip(names, np.median(rows, axis=0), strict=True):
        print(f"{name:32} {values:6.3f} ms CPU per event")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
