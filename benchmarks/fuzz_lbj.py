"""Mutated LBJ files, read in every way: no crash, no hang, no memory beyond what is declared, no wrong data.

Run with ``python benchmarks/fuzz_lbj.py --files 200000 --seed 0``. Each file is one of a set of originals with bits
flipped, parts cut out, copied or replaced, or with fields or payloads replaced by nonsense and their checksums made
right again. A mutated file may be refused with `LBJError`, or read; what is read without its checksums having been
mended must be what was written, for whichever items are still there.

Worker processes have a bound on their memory, and each file one on its time. A seed and a number name each file.
"""

import argparse
import contextlib
import faulthandler
import multiprocessing
import resource
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

import google_crc32c
import numpy as np

from daisy_bluesky import lbj

MEMORY = 3 * 2**30  # of a process, the interpreter and its libraries included
SECONDS = 20
SPECIAL = [0, 1, 0x7F, 0x80, 0xFF, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]
HEAD, OVERHEAD = 20, 20


class Original:
    """A file as it was written, the items in it, and where its records are."""

    def __init__(self, name, data, items):
        self.name = name
        self.data = data
        self.items = items
        self.header_end = HEAD + int.from_bytes(data[12:16], "little")
        self.records = []
        place = self.header_end
        while place + OVERHEAD <= len(data):
            length = int.from_bytes(data[place + 4 : place + 8], "little")
            self.records.append((place, place + OVERHEAD + length))
            place += OVERHEAD + length


def journal(folder, name, items, *, closed, **options):
    path = folder / f"{name}.lbj"
    first = next(iter(items.values()))
    options.setdefault("dtype", first.dtype)
    writer = lbj.Writer(path, shape=first.shape[:-1], channels=first.shape[-1], **options)
    for seq_num, item in items.items():
        writer.append(seq_num, item)
    if closed:
        writer.close()
        data = path.read_bytes()
    else:
        data = path.read_bytes()
        writer.close()
    path.write_bytes(data)
    with lbj.Reader(path) as reader:
        return Original(name, data, dict(zip(reader.seq_nums.tolist(), reader[:], strict=True)))


def blob(name, array, **options):
    data = lbj.dumps(array, **options)
    return Original(name, data, {1: lbj.loads(data)})


def originals(folder):
    rng = np.random.default_rng(0)
    sparse = {n: rng.poisson(0.03, 64).astype(np.uint32) for n in range(1, 25)}
    many = {n: rng.poisson(0.3, 40).astype(np.uint16) for n in range(5, 150)}
    busy = {n: rng.poisson(30, (3, 50)).astype(np.uint64) for n in range(4)}
    frames = {n: (rng.random((70, 60, 20)) < 0.01).astype(np.int32) for n in range(1, 4)}
    signed = {n: rng.integers(-5, 5, (4, 30)).astype(np.int16) for n in range(6)}
    spectra = {n: np.rint(rng.normal(80, 9, 48)).astype(np.float32) for n in range(30)}
    images = {n: rng.integers(0, 2, (8, 8)).astype(bool) for n in range(3)}
    floats = rng.normal(50, 7, (20, 60))
    return [
        journal(folder, "journal", sparse, closed=False),
        journal(folder, "closed", many, closed=True, block=500),
        journal(folder, "busy", busy, closed=True),
        journal(folder, "frames", frames, closed=True),
        journal(folder, "signed", signed, closed=False),
        journal(folder, "spectra", spectra, closed=True),
        journal(folder, "noise", spectra, closed=True, sigma=1.0),
        journal(folder, "images", images, closed=True),
        journal(folder, "references", signed, closed=True, dark=np.arange(30), gain=np.ones(30)),
        blob("exact", floats.astype(np.float32)),
        blob("wide", floats),
        blob("whole", np.rint(floats).astype(np.float32)),
        blob("integers", np.rint(floats).astype(np.int64)),
        blob("one", floats[0].astype(np.float32)),
        blob("offsets", (np.rint(1e4 * floats) - np.linspace(-0.4, 0.4, 60)).astype(np.float32)),
        journal(folder, "dark", {n: dark_subtracted(item) for n, item in spectra.items()}, closed=True),
        blob("quantised", floats.astype(np.float32), sigma=1.0),
        blob("blocks", floats.astype(np.float32), blocks=[(0, 8), (24, 1), (40, 5)]),
        blob("cube", (rng.random((20, 20, 64)) < 0.02).astype(np.uint8)),
    ]


def dark_subtracted(item):
    return (1000 * item - np.linspace(-0.4, 0.4, item.size)).astype(np.float32)


def mutated(original, others, rng):
    """Return a mutated file, and whether its checksums were mended."""
    data = bytearray(original.data)
    kind = rng.integers(0, 8)
    if kind == 0:
        for _ in range(rng.integers(1, 6)):
            place = int(rng.integers(0, len(data)))
            data[place] ^= 1 << int(rng.integers(0, 8))
        return bytes(data), False
    if kind == 1:
        return bytes(data[: rng.integers(0, len(data))]), False
    if kind == 2:
        start, stop = np.sort(rng.integers(0, len(data) + 1, 2))
        place = int(rng.integers(0, len(data) + 1))
        return bytes(data[:place] + data[start:stop] + data[int(rng.choice([place, stop])) :]), False
    if kind == 3:
        other = others[rng.integers(0, len(others))].data
        return bytes(data[: rng.integers(0, len(data))] + other[rng.integers(0, len(other)) :]), False
    if kind == 4:
        return mended_header(original, data, rng), True
    return mended_record(original, data, others, rng), True


def mended_header(original, data, rng):
    end = HEAD + int.from_bytes(data[12:16], "little")
    text = data[HEAD:end]
    if rng.random() < 0.7:  # another number in place of one of its own
        digits = [i for i, byte in enumerate(text) if chr(byte).isdigit()]
        place = digits[rng.integers(0, len(digits))]
        text[place : place + 1] = str(rng.choice(SPECIAL[:9])).encode()
    else:
        for _ in range(rng.integers(1, 4)):
            text[rng.integers(0, len(text))] = rng.integers(32, 127)
    prefix = bytes(data[:12]) + struct.pack("<I", len(text))
    head = prefix + struct.pack("<I", google_crc32c.value(prefix + bytes(text))) + bytes(text)
    return with_checksums(head, [bytes(data[start:stop]) for start, stop in original.records])


def mended_record(original, data, others, rng):
    head = bytes(data[: original.header_end])
    records = [bytearray(data[start:stop]) for start, stop in original.records]
    record = records[rng.integers(0, len(records))]
    kind = rng.integers(0, 6)
    if kind == 0:
        record[rng.integers(2, 16)] = rng.choice([0, 1, 2, 3, 4, 5, 16, 17, 18, 19, 127, 128, 255])
    elif kind == 1 and len(record) > OVERHEAD:
        for _ in range(rng.integers(1, 5)):
            record[rng.integers(OVERHEAD, len(record))] = rng.integers(0, 256)
    elif kind == 2 and len(record) > OVERHEAD:  # absurd numbers where lengths stand
        place = int(rng.integers(OVERHEAD, min(len(record), OVERHEAD + 24)))
        record[place : place + int(rng.integers(0, 3))] = varint(int(rng.choice(np.array(SPECIAL, np.uint64))))
    elif kind == 3:
        record[OVERHEAD:] = rng.integers(0, 256, rng.integers(0, 200), np.uint8).tobytes()
    elif kind == 4:
        del record[rng.integers(OVERHEAD, len(record) + 1) :]
    else:  # the payload of another file
        other = others[rng.integers(0, len(others))]
        start, stop = other.records[rng.integers(0, len(other.records))]
        record[3] = other.data[start + 3]
        record[OVERHEAD:] = other.data[start + OVERHEAD : stop]
    return with_checksums(head, [bytes(record) for record in records])


def varint(value):
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def with_checksums(head, records):
    """Return a file whose records have the lengths they have, and checksums that say so."""
    seed, out = int.from_bytes(head[16:20], "little"), bytearray(head)
    for record in records:
        fields = record[:4] + struct.pack("<I", max(len(record) - OVERHEAD, 0)) + record[8:16]
        checksum = google_crc32c.extend(seed, struct.pack("<Q", len(out)) + fields)
        checksum = google_crc32c.extend(checksum, bytes(record[OVERHEAD:]))
        out += fields + struct.pack("<I", checksum) + record[OVERHEAD:]
    return bytes(out)


def same(left, right):
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def read_all(path, data, original, mended):
    """Read a file in every way; return what is wrong with that, or None."""
    with contextlib.suppress(lbj.LBJError):
        whole = lbj.loads(data)
        if not mended and not any(same(whole, item) for item in original.items.values()):
            return "loads gave other values"
    for salvage in (False, True):
        with contextlib.suppress(lbj.LBJError):
            wrong = read_rows(path, original, mended, salvage=salvage)
            if wrong:
                return wrong
    with contextlib.suppress(lbj.LBJError):
        lbj.summary(path)
        lbj.verify(path)
    return None


def read_rows(path, original, mended, *, salvage):
    with lbj.Reader(path, salvage=salvage) as reader:
        for row, seq_num in enumerate(reader.seq_nums[:8].tolist()):
            try:
                values = reader[row]
            except lbj.LBJError:
                continue
            if not mended and not (seq_num in original.items and same(values, original.items[seq_num])):
                return f"item {seq_num} has other values (salvage={salvage})"
        with contextlib.suppress(lbj.LBJError):
            reader.window(0, 3, channels=slice(0, 3))
        if len(reader) and reader.dtype.kind in "iu":
            reader.events(0, channels=slice(1, 5))
            with contextlib.suppress(ValueError):  # too many pixels for a matrix
                reader.csr(0, 1)
    return None


def on_alarm(*_):
    raise TimeoutError(f"more than {SECONDS} s")


def check(path, number, seed, sources):
    """Return a line about what went wrong with a mutated file, or None."""
    rng = np.random.default_rng([seed, number])
    original = sources[rng.integers(0, len(sources))]
    data, mended = mutated(original, sources, rng)
    original = next((source for source in sources if source.data == data), original)  # two may begin alike
    path.write_bytes(data)
    signal.alarm(SECONDS)
    try:
        wrong = read_all(path, data, original, mended)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
        wrong = f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    return None if wrong is None else f"file {number} of seed {seed} ({original.name}): {wrong}"


def work(job):
    numbers, seed, bounded = job
    faulthandler.enable()
    if bounded:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, on_alarm)
    with tempfile.TemporaryDirectory() as folder:
        sources = originals(Path(folder))
        path = Path(folder) / "mutated.lbj"
        wrong = [line for number in numbers if (line := check(path, number, seed, sources))]
    return wrong, peak_memory()


def peak_memory():
    """Most memory this process has held, KiB; getrusage would count what its parent held when it started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chunk", type=int, default=5000, help="Files of one process.")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    began, wrong, most = time.monotonic(), [], 0
    stop = arguments.first + arguments.files
    jobs = [
        (range(start, min(start + arguments.chunk, stop)), arguments.seed, True)
        for start in range(arguments.first, stop, arguments.chunk)
    ]
    with multiprocessing.get_context("spawn").Pool(arguments.processes, maxtasksperchild=1) as pool:
        for done, (lines, memory) in enumerate(pool.imap(work, jobs), 1):
            wrong += lines
            most = max(most, memory)
            for line in lines:
                print(line)
            files = min(done * arguments.chunk, arguments.files)
            print(
                f"{files:,} files, {len(wrong)} faults, {most / 2**10:.0f} MiB, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
