#!/usr/bin/env python3
"""A sweep of denoise strengths and checkpoints by upbench and by the obvious loop over diffusers' img2img pipeline, in
turns: what sharing saves, and whether the pictures are the same.

  bench_refine_sharing.py [--program build/upbench] [--pictures 5] [--rounds 3] [--threads 2] [--out FOLDER]

Needs torch, diffusers, transformers and Pillow, pictures in $UPBENCH_ASSETS/images/Set5/LR_bicubic/X4 and CLIP's vocabulary in
$UPBENCH_ASSETS/weights/clip (default ../shared/assets). Two checkpoints with random weights of a fixed seed, UNets of
their own and one autoencoder; 8 strengths, 10 steps of Euler, guidance 5. Times are those of the work itself: the loop's
without imports and loading, upbench's from its first trial to its last, weights included. "alone" runs every cell in a
program of its own, so that cells share nothing.
"""
import argparse
import json
import math
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from diffusion_shapes import TINY, drawn
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionImg2ImgPipeline, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel

STRENGTHS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
STEPS, GUIDANCE, SCALE, SEED = 10, 5.0, 2, 0
PROMPT, NEGATIVE = "a photo of a garden", "blurry"
ROOT = Path(__file__).resolve().parent.parent
ASSETS = Path(os.environ.get("UPBENCH_ASSETS", ROOT.parent / "shared/assets"))
sys.path.insert(0, str(ROOT / "tests/models/diffusion/peers"))
from clip_tokenizer import reference_tokenizer  # noqa: E402

VOCABULARY = ASSETS / "weights/clip/bpe_simple_vocab_16e6.txt.gz"


def pipeline(number):
    unet = UNet2DConditionModel(sample_size=32, **TINY)
    vae = AutoencoderKL(block_out_channels=(32, 32, 64, 64), layers_per_block=1, latent_channels=4,
                        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
    text = CLIPTextModel(CLIPTextConfig(hidden_size=64, intermediate_size=128, num_attention_heads=4, num_hidden_layers=2,
                                        vocab_size=49408, bos_token_id=49406, eos_token_id=49407, pad_token_id=49407))
    scheduler = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
                                        steps_offset=1)
    made = StableDiffusionImg2ImgPipeline(
        vae=drawn(vae, 7), text_encoder=drawn(text, 10 + number), tokenizer=reference_tokenizer(VOCABULARY, model_max_length=77), unet=drawn(unet, 20 + number),
        scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    encode = made.vae.encode

    def mean(image, **settings):  # of the autoencoder's distribution, as upbench's default
        answer = encode(image, **settings)
        answer.latent_dist.sample = lambda generator=None: answer.latent_dist.mean
        return answer

    made.vae.encode = mean
    return made


def loop(pipelines, files):
    """As people write it: every picture of every cell from its file."""
    pictures = {}
    begin = time.perf_counter()
    for name, pipe in pipelines.items():
        for strength in STRENGTHS:
            for file in files:
                image = Image.open(file).convert("RGB")
                image = image.resize((image.width * SCALE, image.height * SCALE), Image.LANCZOS)
                generator = torch.Generator().manual_seed(SEED)
                made = pipe(PROMPT, negative_prompt=NEGATIVE, image=image, strength=strength, guidance_scale=GUIDANCE,
                            num_inference_steps=STEPS, generator=generator).images[0]
                pictures[name, strength, file.stem] = np.asarray(made)
    return time.perf_counter() - begin, pictures


def spec(folder, names, strengths):
    text = f"""name: sharing
images: {{lr: pictures}}
pipeline:
  - resize: {{scale: {SCALE}, kernel: pil-lanczos}}
  - refine: {{checkpoint: [{", ".join(names)}], denoise: {strengths}, as: diffusers, steps: {STEPS}, sampler: euler,
             scheduler: uniform, guidance: {GUIDANCE}, prompt: {PROMPT}, negative: {NEGATIVE}, prompt-dialect: plain,
             noise: torch-cpu}}
metrics: none
timing: none
"""
    (folder / "sharing.yaml").write_text(text)


def upbench(arguments, folder, threads):
    command = [arguments.program, "run", "sharing.yaml", "--device", "cpu", "--threads", str(threads), "--keep-outputs", "all",
               "--models", str(VOCABULARY.parent), "--json"]
    for left in folder.glob("sharing.db*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)["seconds"]


def kept(folder):
    """{(checkpoint, strength, picture): levels} of the last run's store."""
    store = sqlite3.connect(f"file:{folder / 'sharing.db'}?mode=ro", uri=True)
    rows = store.execute("""SELECT cells.settings, images.name, outputs.kept_file FROM trials
        JOIN run_cells ON run_cells.run = trials.run AND run_cells.ordinal = trials.cell
        JOIN cells ON cells.key = run_cells.cell
        JOIN run_images ON run_images.run = trials.run AND run_images.ordinal = trials.image
        JOIN images ON images.key = run_images.image JOIN outputs ON outputs.output = trials.output""")
    pictures = {}
    for settings, picture, file in rows:
        refine = json.loads(settings)[1]["settings"]
        levels = np.asarray(Image.open(folder / "sharing.db.outputs" / file).convert("RGB"))
        pictures[refine["checkpoint"], round(refine["denoise"], 6), picture] = levels
    return pictures


def decibels(a, b):
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255 ** 2 / error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/upbench"))
    parser.add_argument("--pictures", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    folder = arguments.out or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    files = sorted((ASSETS / "images/Set5/LR_bicubic/X4").glob("*.png"))[:arguments.pictures]
    (folder / "pictures").mkdir(exist_ok=True)
    for file in files:  # cut to what the pipeline takes without resizing: multiples of 8 once they are enlarged
        image = Image.open(file).convert("RGB")
        image.crop((0, 0, image.width // 4 * 4, image.height // 4 * 4)).save(folder / "pictures" / file.name)
    files = sorted((folder / "pictures").glob("*.png"))
    pipelines = {f"tiny{i}": pipeline(i) for i in (0, 1)}
    for name, pipe in pipelines.items():
        pipe.save_pretrained(folder / name)
    rows = []
    for _ in range(arguments.rounds):
        theirs, expected = loop(pipelines, files)
        spec(folder, pipelines, STRENGTHS)
        ours = upbench(arguments, folder, arguments.threads)
        pictures = kept(folder)
        alone = 0
        for name in pipelines:
            for strength in STRENGTHS:
                spec(folder, [name], [strength])
                alone += upbench(arguments, folder, arguments.threads)
        rows.append((theirs, ours, alone))
    assert pictures.keys() == expected.keys(), (sorted(pictures)[:3], sorted(expected)[:3])
    least = min(decibels(pictures[key], expected[key]) for key in expected)
    middle = [statistics.median(column) for column in zip(*rows)]
    ratio = [statistics.median(row[i] / row[1] for row in rows) for i in (0, 2)]
    print(f"{len(STRENGTHS)} strengths x {len(pipelines)} checkpoints x {len(files)} pictures, {arguments.threads} threads, "
          f"median of {arguments.rounds} rounds")
    print(f"| | seconds | by upbench's sweep |\n|---|---:|---:|")
    print(f"| loop over diffusers | {middle[0]:.2f} | {ratio[0]:.2f} |")
    print(f"| upbench, each cell alone | {middle[2]:.2f} | {ratio[1]:.2f} |")
    print(f"| upbench, one sweep | {middle[1]:.2f} | 1 |")
    print(f"pictures: {least:.1f} dB at least between the loop's and upbench's, of 8 bits")


if __name__ == "__main__":
    main()
