"""The learned networks' forward pass, compiled: the same bits for one spectrum as for many, on any thread count."""

import numpy as np

from daisy_bluesky.classify._counts import Singles
from daisy_bluesky.compilation import compiled


@compiled
def dense_layer(inputs: Singles, weights: Singles, bias: Singles, rectify: bool) -> Singles:
    """Return a fully connected layer's output (n, out) for inputs (n, in), weights (in, out), bias (out,)."""
    rows, outs = inputs.shape[0], weights.shape[1]
    outputs = np.empty((rows, outs), np.float32)
    for row in range(rows):
        outputs[row] = bias
        for i in range(inputs.shape[1]):
            value = inputs[row, i]
            if value != 0:
                for j in range(outs):
                    outputs[row, j] += value * weights[i, j]
        if rectify:
            for j in range(outs):
                outputs[row, j] = max(outputs[row, j], np.float32(0))
    return outputs


@compiled
def convolution_layer(inputs: Singles, kernel: Singles, bias: Singles, stride: int) -> Singles:
    """Return a rectified convolution (n, positions, out) of inputs (n, length, in), kernel (width, in, out)."""
    rows, length, features = inputs.shape
    width, _, outs = kernel.shape
    positions = (length - width) // stride + 1
    outputs = np.empty((rows, positions, outs), np.float32)
    for row in range(rows):
        for position in range(positions):
            target = outputs[row, position]
            target[:] = bias
            for offset in range(width):
                for feature in range(features):
                    value = inputs[row, position * stride + offset, feature]
                    if value != 0:
                        for j in range(outs):
                            target[j] += value * kernel[offset, feature, j]
            for j in range(outs):
                target[j] = max(target[j], np.float32(0))
    return outputs


@compiled
def max_pool(inputs: Singles, width: int, stride: int) -> Singles:
    """Return the largest values (n, positions, features) in windows of inputs (n, length, features)."""
    rows, length, features = inputs.shape
    positions = (length - width) // stride + 1
    outputs = np.empty((rows, positions, features), np.float32)
    for row in range(rows):
        for position in range(positions):
            for feature in range(features):
                largest = inputs[row, position * stride, feature]
                for offset in range(1, width):
                    largest = max(largest, inputs[row, position * stride + offset, feature])
                outputs[row, position, feature] = largest
    return outputs


@compiled
def unit_amplitudes(binned: Singles) -> Singles:
    """Return the square roots of normalised counts (n, bins): unit length, and the same noise in every bin."""
    amplitudes = np.zeros_like(binned)
    for row in range(binned.shape[0]):
        total = max(binned[row].sum(), np.float32(1))
        for k in range(binned.shape[1]):
            amplitudes[row, k] = np.sqrt(binned[row, k] / total)
    return amplitudes
