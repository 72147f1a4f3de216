#!/usr/bin/env python3
"""Compares the diffusion core with diffusers and transformers and writes the tables of docs/diffusion.md.

  parity_page.py [--build DIR] [-o docs/diffusion.md]

Runs upbench_diffusion_test, whose peers run in the environment's Python (scripts/setup.sh), about a minute the first
time. Rows that need the assets are left out where those are absent. Fails where a test fails.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- parity: written by scripts/parity_page.py -->", "<!-- end of parity -->"

# Tests by the part that they compare, with whom.
PARTS = [
    ("UNet: SD 1, SD 2, SDXL, refiner, x4 upscaler, inpainting kinds and odd shapes", "diffusers", r"^UNet\.EqualsDiffusers"),
    ("ControlNet, and a UNet that it steers", "diffusers", r"^ControlNet\.EqualsDiffusers"),
    ("AutoencoderKL, encode and decode, 5 configurations", "diffusers", r"AutoencoderOfDiffusers.*(?<!tiny_4)(?<!tiny_16)$"),
    ("AutoencoderTiny, encode and decode", "diffusers", r"TinyAutoencoderOfDiffusers"),
    ("AutoencoderKL in diffusers' tiles", "diffusers", r"TiledAutoencoder\.DiffusersTiles"),
    ("CLIP text encoders, every layer skipped", "transformers", r"ClipTextPeer\.GivesTheStates"),
    ("prompts of SD 1 and SDXL to context and pooled vector", "diffusers", r"EncodePromptPeer"),
    ("layers with LoRA", "torch", r"LoraPeer\.LayersActAs"),
    ("goldens: UNet, autoencoder, text encoder", "diffusers, transformers", r"TraceGoldens\.EveryPart"),
    ("goldens: img2img trajectories, 4 samplers at 4 strengths, every step", "diffusers", r"TraceGoldens\.EveryTrajectory"),
]


def run_tests(build):
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder) / "errors.tsv"
        made = subprocess.run([Path(build) / "upbench_diffusion_test"], capture_output=True, text=True,
                              env={**os.environ, "UPBENCH_PARITY_FILE": str(errors), "OMP_WAIT_POLICY": "passive"})
        if made.returncode != 0:
            sys.exit("\n".join(line for line in made.stdout.splitlines() if "FAILED" in line or "Failure" in line))
        return errors.read_text(), made.stdout


def parts_table(errors):
    worst = collections.defaultdict(list)
    for line in errors.splitlines():
        test, error = line.split("\t")
        for part, peer, pattern in PARTS:
            if re.search(pattern, test):
                worst[part].append(float(error))
                break
    lines = ["| part | compared with | comparisons | largest error |", "|---|---|---:|---:|"]
    lines += [f"| {part} | {peer} | {len(worst[part])} | {max(worst[part]):.1e} |" for part, peer, _ in PARTS if worst[part]]
    return lines


def samplers_table(output):
    table = output[output.index("sampler/scheduler"):].splitlines()
    lines = ["| sampler, scheduler | 0.2 | 0.35 | 0.5 | 0.75 |", "|---|---:|---:|---:|---:|"]
    for line in table[1:]:
        row = line.split()
        if len(row) != 5 or "/" not in row[0]:
            break
        lines.append("| " + " | ".join([row[0].replace("/", ", "), *row[1:]]) + " |")
    return lines


def versions(output):
    found = dict(re.findall(r"\b(torch|diffusers|transformers|tokenizers|scipy|torchsde) (\d[\w.+]*)", output))
    return ", ".join(f"{name} {version}" for name, version in sorted(found.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/diffusion.md")
    arguments = parser.parse_args()
    errors, output = run_tests(arguments.build)
    section = [BEGIN, "", f"Peers: {versions(output)}. float32 on a CPU, random weights of a fixed seed.", "",
               "Largest difference of any number, by the largest number of the expected tensor:", "",
               *parts_table(errors), "",
               "img2img trajectories of an analytic network, all steps, PSNR in dB by denoise (`as: diffusers`, 20 steps):",
               "", *samplers_table(output), "", END]
    page = arguments.output.read_text()
    head, rest = page.split(BEGIN)
    arguments.output.write_text(head + "\n".join(section) + rest.split(END)[1])


if __name__ == "__main__":
    main()
