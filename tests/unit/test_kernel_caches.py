"""Every kernel has a file of numba's cache to itself."""

import importlib
import pkgutil

from numba.core.dispatcher import Dispatcher

import daisy_bluesky


def kernels():
    """Return the distinct kernels of the package by the name that their caches go by."""
    found = {}
    for module in pkgutil.walk_packages(daisy_bluesky.__path__, "daisy_bluesky."):
        if "__main__" in module.name or ".bench" in module.name:
            continue
        for kernel in vars(importlib.import_module(module.name)).values():
            if isinstance(kernel, Dispatcher):
                function = kernel.py_func
                name = (function.__module__, function.__qualname__, function.__code__.co_firstlineno)
                found.setdefault(name, set()).add(kernel)
    return found


def test_no_two_kernels_share_a_file():
    """Two processes that compile at once number the entries of a file alike, and would run each other's kernels."""
    shared = {name: len(kernels) for name, kernels in kernels().items() if len(kernels) > 1}
    assert not shared


def test_kernels_made_by_one_function_are_among_them():
    assert sum("layer" in name[1] for name in kernels()) >= 6
