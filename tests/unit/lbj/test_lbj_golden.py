"""Committed files keep decoding, by the package and by a reader that knows nothing but the specification."""

import json
import struct
import zlib
from itertools import accumulate
from math import prod
from pathlib import Path

import numpy as np
import pytest
from tiles_by_specification import first_level, vector
from tiles_by_specification import number as varint
from tiles_by_specification import tiles as decoded_tiles

from daisy_bluesky import lbj

GOLDEN = Path(__file__).parents[2] / "golden" / "lbj"
channel = np.arange(64)


def line(centre, height):
    """A characteristic line without random numbers: the same on every platform and numpy."""
    return (height // (1 + (channel - centre) ** 2)).astype(np.int64)


SPECTRA = {
    1: line(20, 9) + line(41, 4),
    2: 3 + channel % 5 + line(20, 900),
    3: 0 * channel,
    7: 2**32 - 1 - channel * 60_000_000,
    9: line(5, 3),
}
SIGNED = {
    0: np.array([-(2**15), 2**15 - 1, 0, 1, -1, 2, -2, 300]),
    1: np.array([0, 0, 0, 0, 0, 0, 0, -1]),
    2: np.array([-3, -2, -1, 0, 1, 2, 3, 4]),
}
FLOATS = {
    1: np.array([[0.1, -0.0, np.inf], [np.nan, 1e-40, -3.5e30]], np.float32),
    2: np.array([[1.5, 2.25, -7.125], [6.02e23, 1.6e-19, 3.0]], np.float32),
}
FRAME = np.zeros((3, 4, 32), np.int64)
FRAME[0, 0, 31], FRAME[1, 2, 7], FRAME[1, 2, 8], FRAME[2, 3, 0] = 1, 65535, 2, 1


def _events(item):
    row, column, bin_ = np.nonzero(item)
    events = np.empty(row.size, [("row", int), ("column", int), ("channel", int), ("count", int)])
    events["row"], events["column"], events["channel"], events["count"] = row, column, bin_, item[row, column, bin_]
    return events


def _write(path, items, **kwargs):
    with lbj.Writer(path, **kwargs) as writer:
        for seq_num, item in items:
            writer.append(seq_num, item)
        return path.read_bytes()


def spectra(path):
    first = [(1, SPECTRA[1]), (2, SPECTRA[9]), (3, SPECTRA[3]), (2, SPECTRA[2])]
    metadata = {"offset": -0.1, "dispersion": 0.01, "unit": "keV"}
    _write(path, first, channels=64, metadata=metadata)
    _write(path, [(9, SPECTRA[9]), (7, SPECTRA[7])], channels=64, append=True)
    return path.read_bytes()


def events(path):
    whole = _write(path, [(1, _events(FRAME)), (2, FRAME[::-1]), (3, FRAME)], shape=(3, 4), channels=32, dtype="uint16")
    return whole[:-5]


def signed(path):
    return _write(path, SIGNED.items(), channels=8, dtype="int16")


def floats(path):
    return _write(path, FLOATS.items(), shape=(2,), channels=3, dtype="float32")


def drawn(n):
    """Counts without random numbers: a linear congruential generator against the odds of a few lines."""
    state, spectrum = 2 * n + 1, np.zeros(64, np.int64)
    for _ in range(12):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        centre, spread = (20, 41, 5, 30)[state >> 62], (state >> 40) % 9
        spectrum[centre + spread - 4 if spread < 8 else (state >> 33) % 64] += 1 + (state >> 55) % 2
    return spectrum


JOURNAL = {n: drawn(n) for n in [*range(1, 500), *range(600, 1101)]}
TILES = np.array([drawn(n) for n in range(300)]) * (np.arange(300) % 3 > 0)[:, None]
COUNTS = {n: sum(drawn(64 * n + k) for k in range(40)) + 9 for n in range(1, 11)}


def journal(path):
    writer = lbj.Writer(path, channels=64, dtype="uint16", block=900)
    for seq_num, item in [(7, drawn(1000)), *JOURNAL.items(), (610, JOURNAL[610])]:
        writer.append(seq_num, item)
    data = path.read_bytes()
    writer.close()
    return data


def tiles(_):
    return lbj.dumps(TILES.astype(np.uint8))


def counts(path):
    writer = lbj.Writer(path, channels=64, block=600)
    for seq_num, item in COUNTS.items():
        writer.append(seq_num, item)
    data = path.read_bytes()
    writer.close()
    return data


def blob(_):
    return lbj.dumps(np.array([[2**64 - 1, 0], [1, 2**40]], np.uint64))


CASES = {
    "spectra": (spectra, SPECTRA, "uint32"),
    "events": (events, {1: FRAME, 2: FRAME[::-1]}, "uint16"),
    "signed": (signed, SIGNED, "int16"),
    "floats": (floats, FLOATS, "float32"),
    "journal": (journal, JOURNAL, "uint16"),
    "tiles": (tiles, {1: TILES}, "uint8"),
    "counts": (counts, COUNTS, "uint32"),
    "blob": (blob, {1: np.array([[2**64 - 1, 0], [1, 2**40]], np.uint64)}, "uint64"),
}


@pytest.mark.parametrize("name", CASES)
def test_golden_file_is_written_byte_for_byte(name, tmp_path):
    make, _, _ = CASES[name]
    assert make(tmp_path / "file.lbj") == (GOLDEN / f"{name}.lbj").read_bytes()


@pytest.mark.parametrize("name", [*CASES, "deflated"])
def test_golden_file_is_read(name):
    items, dtype = (DEFLATED, "float32") if name == "deflated" else CASES[name][1:]
    with lbj.Reader(GOLDEN / f"{name}.lbj") as reader:
        assert reader.dtype == dtype
        assert reader.seq_nums.tolist() == sorted(items)
        for row, seq_num in enumerate(sorted(items)):
            expected = np.asarray(items[seq_num]).astype(dtype)
            assert reader[row].shape == expected.shape
            assert reader[row].tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", [*CASES, "deflated"])
def test_specification_suffices_to_read_golden_files(name):
    items, dtype = (DEFLATED, "float32") if name == "deflated" else CASES[name][1:]
    header, found = read_by_specification((GOLDEN / f"{name}.lbj").read_bytes())
    assert header["dtype"] == dtype
    assert sorted(found) == sorted(items)
    for seq_num, item in items.items():
        expected = np.asarray(item).astype(dtype)
        assert [*header["shape"], header["channels"]] == list(expected.shape)
        assert found[seq_num] == expected.astype(expected.dtype.newbyteorder("<")).tobytes()


def test_index_by_specification_points_at_the_rows():
    data = (GOLDEN / "spectra.lbj").read_bytes()
    rows = index_by_specification(data)
    assert [seq_num for seq_num, *_ in rows] == sorted(SPECTRA)
    for seq_num, place, length, rank in rows:
        assert struct.unpack_from("<2sBBIQ", data, place)[3:] == (length, seq_num)
        assert rank == 0


def test_golden_journal_has_blocks_and_a_model():
    kinds = [kind for _, kind, *_ in records_by_specification((GOLDEN / "journal.lbj").read_bytes())]
    assert kinds.count(4) > 9
    assert kinds.count(5) == 1


def test_file_closed_by_the_first_index_is_still_read():
    """Its index is of a codec that is passed over."""
    with lbj.Reader(GOLDEN / "spectra-first-index.lbj") as reader:
        assert reader.seq_nums.tolist() == sorted(SPECTRA)
        np.testing.assert_array_equal(reader[:], [SPECTRA[seq_num] for seq_num in sorted(SPECTRA)])


DEFLATED = {4: np.repeat(np.float32([[0, 1, -2]]), 40, axis=0)}


# An independent reader: plain Python from docs/reference/lbj-format.md, no code shared with the package.


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_checksum_of_the_independent_reader():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283


def head_by_specification(data):
    assert data[:8] == bytes.fromhex("894C424A0D0A1A0A")
    major, _, n, seed = struct.unpack_from("<HHII", data, 8)
    assert major == 1
    assert crc32c(data[:16] + data[20 : 20 + n]) == seed
    return json.loads(data[20 : 20 + n]), seed, 20 + n


def records_by_specification(data):
    header, seed, place = head_by_specification(data)
    while place + 20 <= len(data):
        magic, kind, codec, length, seq_num, checksum = struct.unpack_from("<2sBBIQI", data, place)
        payload = data[place + 20 : place + 20 + length]
        covered = struct.pack("<Q", place) + data[place : place + 16] + payload
        if magic != b"\xb5J" or len(payload) < length or crc32c(covered, seed) != checksum:
            return
        yield header, kind, codec, seq_num, payload, place
        place += 20 + length


def read_by_specification(data):
    items, models = {}, {}
    for header, kind, codec, seq_num, payload, place in records_by_specification(data):
        if kind == 5:
            models[place] = first_level(vector(payload, 0, header["channels"])[0], None, 0)
        elif codec == 4 and kind in (1, 4):
            items |= tiles_by_specification(header, kind, seq_num, payload, place, models)
        elif kind == 1:
            items[seq_num] = item_by_specification(header, codec, payload)
    return head_by_specification(data)[0], items


def tiles_by_specification(header, kind, seq_num, payload, place, models):
    seq_nums, start = runs_by_specification(payload) if kind == 4 else ([seq_num], 0)
    distance, start = varint(payload, start)
    pixels, channels = prod(header["shape"]), header["channels"]
    size = int("".join(filter(str.isdigit, header["dtype"]))) // 8
    items = {seq_num: bytearray(pixels * channels * size) for seq_num in seq_nums}
    found = decoded_tiles(payload[start:], channels, models[place - distance] if distance else None)
    for (pixel, channel), count in found.items():
        item, at = items[seq_nums[pixel // pixels]], (pixel % pixels * channels + channel) * size
        item[at : at + size] = count.to_bytes(size, "little")
    return {seq_num: bytes(item) for seq_num, item in items.items()}


def runs_by_specification(payload):
    runs, place = varint(payload, 0)
    seq_nums, expected = [], 0
    for _ in range(runs):
        gap, place = varint(payload, place)
        more, place = varint(payload, place)
        seq_nums += range(expected + gap, expected + gap + more + 1)
        expected = seq_nums[-1] + 1
    return seq_nums, place


def index_by_specification(data):
    magic, kind, _, _, place = struct.unpack_from("<2sBBIQ", data, len(data) - 20)
    assert (magic, kind) == (b"\xb5J", 3)
    n, start = number(data[place + 20 : -20])
    bits = Bits(data[place + 20 + start : -20])
    state = State(2, 0)
    columns = [list(accumulate(unfolded(bits.value(state), 64) for _ in range(n))) for _ in range(5)]
    bits.end()
    return [
        (seq_num + i, place, length, rank + i)
        for seq_num, place, length, rank, more in zip(*columns, strict=True)
        for i in range(more + 1)
    ]


def number(payload):
    value = 0
    for i, byte in enumerate(payload):
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, i + 1
    raise AssertionError("number without end")


def unfolded(magnitude, width):
    if magnitude == 2**width - 1:
        return -(2 ** (width - 1))
    return (magnitude + 1) // 2 if magnitude % 2 else -(magnitude // 2)


class State:
    def __init__(self, memory, start):
        self.m, self.s = memory, start

    def k(self):
        mean = (self.s + 2 ** (self.m - 1)) >> self.m
        k = 0
        while 2**k < mean:
            k += 1
        return k

    def after(self, v):
        self.s += min(v, 2**32) - (self.s >> self.m)


class Bits:
    def __init__(self, data):
        self.text = "".join(f"{byte:08b}"[::-1] for byte in data)
        self.place = 0

    def field(self, width):
        taken = self.text[self.place : self.place + width]
        assert len(taken) == width
        self.place += width
        return int(taken[::-1] or "0", 2)

    def value(self, state):
        k, q = state.k(), 0
        while q < 24 and not self.field(1):
            q += 1
        v = self.field(64) if q == 24 else (q << k) + self.field(k)
        state.after(v)
        return v

    def end(self):
        rest = self.text[self.place :]
        assert len(rest) < 8
        assert "1" not in rest


def item_by_specification(header, codec, payload):
    dtype = header["dtype"]
    size = 1 if dtype == "bool" else int("".join(filter(str.isdigit, dtype))) // 8
    voxels = prod(header["shape"]) * header["channels"]
    if codec == 0:
        return payload
    if codec == 1:
        planes = zlib.decompress(payload)
        return bytes(planes[plane * voxels + i] for i in range(voxels) for plane in range(size))
    magnitudes = sparse(payload, voxels) if codec == 2 else dense(payload, voxels)
    counts = [unfolded(m, 8 * size) if dtype.startswith("int") else m for m in magnitudes]
    return b"".join(count.to_bytes(size, "little", signed=dtype.startswith("int")) for count in counts)


def dense(payload, voxels):
    bits, state = Bits(payload), State(2, 0)
    values = [bits.value(state) for _ in range(voxels)]
    bits.end()
    return values


def sparse(payload, voxels):
    n, start = number(payload)
    bits, gaps, counts = Bits(payload[start:]), State(4, voxels // max(n, 1) * 2**4), State(2, 0)
    values = []
    for _ in range(n):
        values += [0] * bits.value(gaps)
        values.append(bits.value(counts) + 1)
    bits.end()
    return values + [0] * (voxels - len(values))
