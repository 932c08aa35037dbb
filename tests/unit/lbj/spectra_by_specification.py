"""Codecs 16 to 19 as ``docs/reference/lbj-format.md`` tells them, in plain Python, slow and without the package."""

import math
from itertools import accumulate, pairwise

import numpy as np

FRACTIONS = {2: 10, 4: 23, 8: 52}


def number(data, place):
    value = shift = 0
    while True:
        value |= (data[place] & 127) << shift
        shift, place = shift + 7, place + 1
        if data[place - 1] < 128:
            return value, place


class Streams:
    def __init__(self, coded, plain):
        self.coded, self.plain, self.taken, self.bit_place = coded, plain, 4, 0
        self.low, self.high, self.value = 0, 2**32 - 1, int.from_bytes(coded[:4], "big")
        self.words = {}

    def bit(self, context):
        word = self.words.get(context, 2**31)
        middle = self.low + ((self.high - self.low) * min(max(word >> 16, 16), 65520) >> 16)
        one = self.value <= middle
        self.low, self.high = (self.low, middle) if one else (middle + 1, self.high)
        chance, seen = word >> 10, word % 1024
        chance += ((2**22 - 1 if one else 0) - chance) * (131072 // (2 * seen + 3)) >> 16
        self.words[context] = chance << 10 | min(seen + 1, 1000)
        while self.low >> 24 == self.high >> 24:
            self.low, self.high = self.low % 2**24 << 8, self.high % 2**24 << 8 | 255
            self.value = self.value % 2**24 << 8 | self.coded[self.taken]
            self.taken += 1
        return int(one)

    def symbol(self, first):
        node = 1
        for _ in range(6):
            node = 2 * node + self.bit(first + node)
        return node - 64

    def bits(self, n):
        value = 0
        for i in range(n):
            value |= (self.plain[self.bit_place >> 3] >> (self.bit_place & 7) & 1) << i
            self.bit_place += 1
        return value

    def length_coded(self, first):
        length = self.symbol(first)
        if length == 63:
            return None
        return self.bits(length - 1) | 1 << length - 1 if length else 0

    def signed(self, first):
        folded = self.length_coded(first)
        return folded >> 1 if folded % 2 == 0 else -1 - (folded >> 1)

    def check_end(self):
        assert self.taken == len(self.coded)
        assert self.value == self.low
        assert (self.bit_place + 7) // 8 == len(self.plain)


class Prediction:
    """Foretells voxels, spectrum by spectrum."""

    def __init__(self, streams, channels, decay, slope, floor, mean_shift, shifts):
        self.streams, self.channels, self.decay, self.slope, self.floor = streams, channels, decay, slope, floor
        self.shifts, self.p, self.spread = shifts, 0, 256
        if decay == 99:
            mean, self.mean = 0, []
            for _ in range(channels):
                mean += streams.signed(0)
                self.mean.append(mean << mean_shift)
            self.loadings = [[streams.signed(64 + 64 * k) for _ in range(channels)] for k in range(len(shifts))]

    def sigma(self, p):
        return max(1, math.isqrt(self.slope * max(p, 0) + self.floor))

    def begin(self):
        if self.decay == 99:
            self.scores = [self.streams.signed(64 * (41 + k)) for k in range(len(self.shifts))]

    def of(self, channel):
        if self.decay != 99:
            return self.p
        deepest = max(self.shifts, default=0)
        deviation = sum(
            (score << deepest - shift) * loading[channel]
            for score, shift, loading in zip(self.scores, self.shifts, self.loadings, strict=True)
        )
        deviation, mean = min(max(deviation, -(2**31)), 2**31), self.mean[channel]
        p = mean + (2 * deviation * min(self.sigma(mean), 2**30) >> deepest)
        return min(max(p, -(2**40)), 2**40)


def head(payload):
    (channels, decay, unit, mean_shift, slope, floor, components), place = numbers(payload, 0, 7)
    shifts, place = numbers(payload, place, components)
    return (channels, decay >> 1, decay & 1, unit - 4096, (slope, floor, mean_shift, shifts)), place


def numbers(data, place, n):
    values = []
    for _ in range(n):
        value, place = number(data, place)
        values.append(value)
    return values, place


def split(payload, place):
    size, place = number(payload, place)
    return Streams(payload[place : place + size], payload[place + size :])


def order(multiple, unit, fraction, bias):
    """The order of the float ``multiple * 2**unit``."""
    magnitude, pattern = abs(multiple), 0
    if magnitude:
        top = magnitude.bit_length() - 1
        exponent = unit + top + bias
        if exponent < 1:
            pattern = magnitude << unit - (1 - bias - fraction)
        else:
            pattern = (exponent << fraction) + ((magnitude << fraction - top) - (1 << fraction))
    return pattern if multiple >= 0 else -1 - pattern


def exact(payload, voxels, dtype):
    (channels, decay, whole, unit, model), place = head(payload)
    streams, dtype = split(payload, place), np.dtype(dtype)
    prediction, bits = Prediction(streams, channels, decay, *model), 8 * dtype.itemsize
    fraction = FRACTIONS[dtype.itemsize] if dtype.kind == "f" else 0
    bias = 2 ** (bits - 2 - fraction) - 1 if fraction else 0
    patterns = []
    for i in range(voxels):
        if i % channels == 0:
            prediction.begin()
        p = prediction.of(i % channels)
        cell = take_cell(streams, p, prediction.sigma(p) if decay == 99 else prediction.spread + 1)
        if cell is None:
            patterns.append(streams.bits(bits))
            continue
        patterns.append(pattern(streams, cell, whole, unit, fraction, bias, bits))
        if decay != 99:
            off = (cell << 8) - p
            prediction.p += off >> decay
            prediction.spread += abs(off) - prediction.spread >> 3
    streams.check_end()
    return np.array(patterns, np.uint64).astype(f"u{dtype.itemsize}").view(dtype)


def take_cell(streams, p, s):
    length = s.bit_length()
    low = max(length - 11, 0)
    quarter = (s >> length - 3) % 4 if length >= 3 else 0
    phase = (p >> 5) % 8 if low == 0 else 0
    base = (p >> 8) - (2**low >> 1)
    symbol = streams.symbol(5248 + 64 * ((4 * min(length, 48) + quarter) * 8 + phase))
    step = symbol - 32
    if symbol in (0, 63):
        excess = streams.length_coded(5184)
        if excess is None:
            return None
        step += excess if symbol else -excess
    return base + (step << low) + streams.bits(low)


def pattern(streams, cell, whole, unit, fraction, bias, bits):
    if not fraction:
        return cell % 2**bits
    if whole and cell == 0:
        return streams.bit(5184) << bits - 1
    first = order(cell, unit, fraction, bias)
    above = 0 if cell == -1 else order(cell + 1, unit, fraction, bias)
    largest = 0 if abs(cell + 1).bit_length() > fraction + 1 else above - first - 1
    at = first + (0 if whole else streams.bits(largest.bit_length()))
    return at if at >= 0 else -1 - at | 1 << bits - 1


def dither(seed, i):
    z = (seed + (i + 1) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return (z ^ z >> 31) >> 48


def quantised(payload, voxels, dtype):
    (channels, decay, _, unit, model), place = head(payload)
    (steps, seed), place = numbers(payload, place, 2)
    streams, dtype = split(payload, place), np.dtype(dtype)
    prediction = Prediction(streams, channels, decay, *model)
    values = np.empty(voxels, dtype)
    for i in range(voxels):
        if i % channels == 0:
            prediction.begin()
        p = prediction.of(i % channels)
        s, d = prediction.sigma(p), dither(seed, i)
        symbol = streams.symbol(5248 + 64 * (16 * min(s.bit_length(), 48) + (d >> 12)))
        if symbol == 0:
            values.view(f"u{dtype.itemsize}")[i] = streams.bits(8 * dtype.itemsize)
            if abs(float(values[i])) * 2.0 ** (8 - unit) < 2**40:
                prediction.p = round(float(values[i]) * 2.0 ** (8 - unit))
            continue
        v = p + ((((symbol - 32) * 2**16 - d + 2**15) * max(steps * s >> 8, 1)) >> 16)
        values[i] = math.ldexp(float(v), unit - 8)
        if decay != 99:
            prediction.p = min(max(p + (v - p >> decay), -(2**40)), 2**40)
    streams.check_end()
    return values


def part(data, shape, dtype):
    if data[0] == 0:
        return np.frombuffer(data[1:], np.dtype(dtype).newbyteorder("<")).reshape(shape)
    return exact(data[1:], math.prod(shape), dtype).reshape(shape)


def power(i):
    """The whole part of ``2**(30 + i / 256)``."""
    root = 2 ** (30 * 256 + i)
    for _ in range(8):
        root = math.isqrt(root)
    return root


def magnitude(log):
    whole, rest = divmod(abs(log), 2**16)
    i, rest = divmod(rest, 2**8)
    value = (((power(i) + ((power(i + 1) - power(i)) * rest >> 8)) << whole) >> 14) - 2**16
    return value if log >= 0 else -value


def blocks(payload, voxels, dtype):
    """Return values and the bias of each channel."""
    (channels, exponent, n), place = numbers(payload, 0, 3)
    flat, place = numbers(payload, place, 2 * n)
    sizes, place = numbers(payload, place, 2)
    exponent, dtype, spectra = exponent - 4096, np.dtype(dtype), voxels // channels
    starts, factors = flat[::2], flat[1::2]
    groups, kept = [], []
    for start, stop, factor in zip(starts, [*starts[1:], channels], factors, strict=True):
        if factor == 1:
            kept += range(start, stop)
        else:
            groups.append([(first, min(first + factor, stop) - 1) for first in range(start, stop, factor)])
    ends = [place, place + sizes[0], place + sum(sizes), len(payload)]
    parts = [payload[begin:end] for begin, end in pairwise(ends)]
    values = np.empty((spectra, channels), dtype)
    values[:, kept] = part(parts[0], (spectra, len(kept)), dtype)
    logs = part(parts[1], (spectra, sum(map(len, groups))), "i4")
    column = 0
    for group in groups:
        for spectrum in range(spectra):
            row = [int(log) << 6 for log in logs[spectrum, column : column + len(group)]]
            for c in range(group[0][0], group[-1][1] + 1):
                fixed = magnitude(min(max(between(group, row, c), -(30 * 2**16 - 1)), 30 * 2**16 - 1))
                value = math.ldexp(float(fixed), exponent - 16)
                values[spectrum, c] = value if dtype.kind == "f" else np.rint(value)
        column += len(group)
    bias = part(parts[2], (channels,), "f2").astype(float) * 2.0**exponent
    return values.reshape(-1), bias


def between(group, logs, channel):
    if len(group) == 1:
        return logs[0]
    centres = [first + last for first, last in group]
    own = next(i for i, (first, last) in enumerate(group) if first <= channel <= last)
    left = own - 1 if 2 * channel < centres[own] else own
    left = min(max(left, 0), len(group) - 2)
    a, b = centres[left], centres[left + 1]
    return logs[left] + (logs[left + 1] - logs[left]) * (2 * channel - a) // (b - a)


def offsets(payload, voxels, dtype):
    (channels, *sizes), place = numbers(payload, 0, 4)
    ends = [*accumulate(sizes, initial=place), len(payload)]
    parts = [payload[begin:end] for begin, end in pairwise(ends)]
    own, dtype = part(parts[0], (channels,), dtype), np.dtype(dtype)
    counts, steps = (part(data, (voxels,), kind) for data, kind in zip(parts[1:3], ("i4", "i1"), strict=True))
    sums = np.array([float(n) + float(own[i % channels]) for i, n in enumerate(counts)]).astype(dtype)
    elsewhere, patterns = iter(parts[3][i : i + dtype.itemsize] for i in range(0, len(parts[3]), dtype.itemsize)), b""
    for value, step in zip(sums, steps, strict=True):
        pattern, sign = int(value.view(f"u{dtype.itemsize}")), 1 << 8 * dtype.itemsize - 1
        at = (-1 - (pattern ^ sign) if pattern & sign else pattern) + int(step)
        moved = (at if at >= 0 else -1 - at | sign).to_bytes(dtype.itemsize, "little")
        patterns += next(elsewhere) if step == -128 else moved
    return np.frombuffer(patterns, dtype.newbyteorder("<"))
