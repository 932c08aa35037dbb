"""How a program of this environment is called from the user's shell."""

import shlex
import shutil
import sys
from pathlib import Path


def program(name: str) -> str:
    """Return what to type: the name where ``PATH`` leads to this environment's program, else its path, quoted."""
    ours = Path(sys.executable).absolute().with_name(name)
    found = shutil.which(name)
    if not ours.exists() or (found and Path(found).absolute() == ours):
        return name
    return shlex.quote(str(ours))
