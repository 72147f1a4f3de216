#!/usr/bin/env python3
"""The sweep of gpu_check.py as a plain PyTorch loop, as people write it: one picture after the other.

  gpu_python_loop.py FOLDER DEVICE PICTURES SIDE     FOLDER: rrdb23.safetensors, srvgg32.safetensors

Random pictures of the same sizes; no decoding and no storing, which favours the loop. Prints {"seconds": ...}, start-up
included (from the start of this program).
"""
import time

started = time.perf_counter()

import json
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F


def read_safetensors(file, device):
    data = Path(file).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).reshape(entry["shape"])
        tensors[name] = values.to(device).half()
    return tensors


def convolution(weights, name, x):
    return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)


def rrdb(weights, x):
    def dense(prefix, x):
        parts = [x]
        for k in range(1, 5):
            parts.append(F.leaky_relu(convolution(weights, f"{prefix}conv{k}", torch.cat(parts, 1)), 0.2))
        return convolution(weights, f"{prefix}conv5", torch.cat(parts, 1)) * 0.2 + x

    first = convolution(weights, "conv_first", x)
    y = first
    block = 0
    while f"body.{block}.rdb1.conv1.weight" in weights:
        inner = y
        for k in (1, 2, 3):
            inner = dense(f"body.{block}.rdb{k}.", inner)
        y = inner * 0.2 + y
        block += 1
    y = first + convolution(weights, "conv_body", y)
    for k in (1, 2):
        y = F.leaky_relu(convolution(weights, f"conv_up{k}", F.interpolate(y, scale_factor=2)), 0.2)
    return convolution(weights, "conv_last", F.leaky_relu(convolution(weights, "conv_hr", y), 0.2))


def srvgg(weights, x):
    y, layer = convolution(weights, "body.0", x), 1
    while f"body.{layer}.weight" in weights:
        y = convolution(weights, f"body.{layer + 1}", F.prelu(y, weights[f"body.{layer}.weight"]))
        layer += 2
    return F.pixel_shuffle(y, 4) + F.interpolate(x, scale_factor=4)


def tiled(network, x, tile, context):
    height, width = x.shape[2:]
    output = torch.empty(1, 3, 4 * height, 4 * width, device=x.device)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            y0, x0 = max(top - context, 0), max(left - context, 0)
            bottom, right = min(top + tile, height), min(left + tile, width)
            part = network(x[:, :, y0:min(bottom + context, height), x0:min(right + context, width)])
            output[:, :, 4 * top:4 * bottom, 4 * left:4 * right] = part[:, :, 4 * (top - y0):4 * (bottom - y0), 4 * (left - x0):4 * (right - x0)]
    return output


def luma(picture):
    r, g, b = picture.clamp(0, 1).mul(255).round().unbind(1)
    return (16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255)[:, None, 4:-4, 4:-4]


def scores(output, reference):
    a, b = luma(output), luma(reference)
    psnr = 10 * torch.log10(255 ** 2 / (a - b).square().mean())
    line = torch.exp(-(torch.arange(11, device=a.device, dtype=torch.float32) - 5).square() / 4.5)
    line /= line.sum()
    window = torch.outer(line, line)[None, None]
    ma, mb, maa, mbb, mab = (F.conv2d(p, window) for p in (a, b, a * a, b * b, a * b))
    c1, c2 = 2.55 ** 2, 7.65 ** 2
    ssim = ((2 * ma * mb + c1) * (2 * (mab - ma * mb) + c2) / ((ma * ma + mb * mb + c1) * (maa - ma * ma + mbb - mb * mb + c2))).mean()
    return psnr.item(), ssim.item()


def main():
    folder, device, pictures, side = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.manual_seed(0)
    with torch.inference_mode():
        for name, function in (("rrdb23", rrdb), ("srvgg32", srvgg)):
            weights = read_safetensors(folder / f"{name}.safetensors", device)

            def network(x):
                return function(weights, x.half()).float()

            for tile in (None, 128):
                for _ in range(pictures):
                    reference = torch.rand(1, 3, side, side).to(device)
                    small = F.interpolate(reference, scale_factor=0.25, mode="bicubic", antialias=True)
                    output = tiled(network, small, tile, 16) if tile else network(small)
                    scores(output, reference)
    print(json.dumps({"seconds": time.perf_counter() - started}))


main()
