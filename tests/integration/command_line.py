"""Commands in processes of their own, and a spectrum image to give them."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np

PROGRAM = Path(sys.executable).with_name("daisy-bluesky")
CHANNELS = 256


def environment(**variables):
    """What a new user's environment is: no settings of ours in it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DAISY_")}
    return {**inherited, "COLUMNS": "100", **variables}


def run(*arguments, cwd, timeout=170, preexec_fn=None, **variables):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=preexec_fn,
    )


def begin(*arguments, cwd, **variables):
    return subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def heed_interrupts():
    """Undo that a shell in the background lets its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begin_in_terminal(*arguments, cwd):
    """Start a command in a terminal of its own; return the process and what a user's keyboard and screen are."""
    terminal, inner = os.openpty()

    def own_the_terminal():
        heed_interrupts()
        os.setsid()
        fcntl.ioctl(inner, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=environment(TERM="xterm"),
        stdin=inner,
        stdout=inner,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=own_the_terminal,
    )
    os.close(inner)
    return process, terminal


def save_spectrum_image(path, shape=(24, 24), *, dwell=0.02, counts=600, seed=0):
    """Two phases, each with a line of its own, side by side; 1 nm pixels."""
    rng = np.random.default_rng(seed)
    phases = np.zeros(shape, dtype=int)
    phases[:, shape[1] // 2 :] = 1
    means = np.full((2, CHANNELS), 0.2 * counts / CHANNELS)
    means[0, 60:66] += 0.8 * counts / 6
    means[1, 150:156] += 0.8 * counts / 6
    cube = rng.poisson(means[phases])
    y, x, ch = np.nonzero(cube)
    lists = {"y": y, "x": x, "ch": ch, "n": cube[y, x, ch], "shape": np.array(cube.shape)}
    np.savez_compressed(path, **lists, e_offset=0.0, e_scale=0.04, px=1.0, px_units="nm", dwell=dwell)
    return path
