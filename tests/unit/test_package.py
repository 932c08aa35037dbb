import subprocess
import sys

import pytest


@pytest.mark.parametrize("heavy", ["torch", "matplotlib", "tiled", "rsciio", "numba", "bluesky"])
def test_importing_the_package_loads_nothing_heavy(heavy):
    code = f"import sys, daisy_bluesky; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("module", ["plans", "callbacks", "devices", "session", "cli"])
def test_torch_and_matplotlib_wait_until_they_are_used(module):
    code = f"import sys, daisy_bluesky.{module}; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
