"""Compile what a run needs before it starts, so that no spectrum waits for the compiler."""

from functools import cache

import numpy as np

from daisy_bluesky.classify._phase_bank import PhaseBank
from daisy_bluesky.classify._phase_split import splits
from daisy_bluesky.classify._spectrum_store import SpectrumStore
from daisy_bluesky.classify._spike import is_spike
from daisy_bluesky.classify._unknown_phases import UnknownPhases


@cache
def compile_kernels() -> None:
    """Run every compiled kernel once on a few counts; takes seconds the first time on a machine, then nothing."""
    means = np.ones((2, 128))
    means[0, :64] = means[1, 64:] = 40.0
    for kind in (np.uint32, np.float32):
        spectra = np.repeat(means, 12, axis=0).astype(kind)
        bank, store, unknown = PhaseBank(None, 128), SpectrumStore(128), UnknownPhases()
        numbers = np.array([store.add(spectrum) for spectrum in spectra])
        labels = np.repeat([bank.discover(), bank.discover()], 12)
        bank.refresh(store.sums(labels, 2), np.array([12, 12]))
        bank.assess(spectra)
        bank.log_likelihood(spectra)
        bank.relabel(store, numbers)
        binned = store.binned(numbers, bank.bin_of, bank.bins)
        for number in (0, 1, 13):
            cluster = unknown.add(number, binned[number])
        unknown.judge(cluster, bank.explain(cluster.sums))
        is_spike(spectra[0])
        list(splits(store.binned(numbers, np.arange(128) // 2, 64)))
        store.spectra(numbers)
