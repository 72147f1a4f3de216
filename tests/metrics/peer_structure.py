"""ERQA 1.1 of the package erqa and CIEDE2000 of scikit-image: a list of {"output", "reference"} (picture files) on standard
input, for each {"erqa", "shift", "ciede2000"} on standard output, the versions first."""

import importlib.metadata
import json
import sys

import cv2
import numpy as np
import skimage
from erqa import ERQA
from skimage.color import deltaE_ciede2000, rgb2lab

metric = ERQA(version="1.1")


def compare(case):
    output, reference = cv2.imread(case["output"]), cv2.imread(case["reference"])
    lab = [rgb2lab(picture[..., ::-1]) for picture in (output, reference)]
    return {"erqa": metric(output, reference), "ciede2000": np.mean(deltaE_ciede2000(*lab))}


results = [compare(case) for case in json.load(sys.stdin)]
versions = f"erqa {importlib.metadata.version('erqa')}, OpenCV {cv2.__version__}, scikit-image {skimage.__version__}"
print(json.dumps({"versions": versions, "results": results}, default=float))
