#!/usr/bin/env python3
"""Writes pillow_resample.tsv: what Pillow's Image.resize makes of small pictures, for tests/datasets/resample_pillow_test.cpp.

  make_pillow_resample.py > pillow_resample.tsv      (the committed file: Pillow 12.0.0)
  make_pillow_resample.py --check pillow_resample.tsv      (a test: does the Pillow that is installed give the same?)

A line: filter, source WxH, target WxH, the bytes of the target (RGB, row by row) in hexadecimal. A source's bytes follow from
its size alone (see `source`), so that they need not be stored.

Pillow before 13 always resizes the rows first, and so do the kernels pil-*. Pillow 13 begins with the columns where the
height shrinks much more than the width: run there, the 40x4 lines of filters with more than one tap differ (Lanczos by
up to 21 levels on this picture, which overshoots everywhere). Published low-resolution sets are older, so they are what
the kernels reproduce; --check lets these lines alone differ, and only with Pillow 13 or later.
"""
import sys

import PIL
from PIL import Image

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
# Odd sizes; ratios that are no whole numbers; one side up and the other down; a side that stays.
CASES = (((13, 9), (26, 18)), ((13, 9), (31, 20)), ((13, 9), (40, 4)), ((13, 9), (13, 11)),
         ((37, 29), (13, 9)), ((37, 29), (18, 14)), ((37, 29), (5, 3)), ((37, 29), (23, 28)))
# Sizes where rounded positions matter: centres that lie on the edge between two pixels.
NEAREST_CASES = (((10, 1), (15, 1)), ((98, 1), (4, 1)), ((49, 1), (147, 1)), ((250, 1), (375, 1)), ((206, 1), (103, 1)))


def source(width, height):
    """Every level occurs, neighbours differ widely: overshoot is clipped on both sides."""
    picture = Image.new("RGB", (width, height))
    picture.putdata([tuple((x * x * 7 + y * y * 13 + x * y * 29 + c * 101) % 256 for c in range(3))
                     for y in range(height) for x in range(width)])
    return picture


def lines():
    cases = [(name, *case) for name in FILTERS for case in CASES] + [("nearest", *case) for case in NEAREST_CASES]
    for name, before, after in cases:
        made = source(*before).resize(after, getattr(Image.Resampling, name.upper()))
        yield "\t".join((name, "x".join(map(str, before)), "x".join(map(str, after)), made.tobytes().hex()))


def check(file):
    with open(file, encoding="ascii") as stored:
        expected = [line.rstrip("\n") for line in stored if not line.startswith("#")]
    made = list(lines())
    differ = [line.split("\t")[:3] for line, other in zip(made, expected) if line != other]
    allowed = int(PIL.__version__.split(".")[0]) >= 13
    wrong = [case for case in differ if not (allowed and case[2] == "40x4")]
    print(f"Pillow {PIL.__version__}: {len(made)} cases, {len(differ)} differ, {len(wrong)} of them unexpectedly: {wrong}")
    return 1 if wrong or len(made) != len(expected) else 0


def main():
    if sys.argv[1:2] == ["--check"]:
        sys.exit(check(sys.argv[2]))
    print(f"# made by make_pillow_resample.py with Pillow {PIL.__version__}")
    for line in lines():
        print(line)


if __name__ == "__main__":
    main()
