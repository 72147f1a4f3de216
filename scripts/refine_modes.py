#!/usr/bin/env python3
"""Every way to refine a picture of 256 x 256 through `upbench run`, with a checkpoint of random weights: what runs, how
often the network is asked, and how long it takes.

  refine_modes.py [--shape tiny|sd1|sdxl] [--program build/upbench] [--threads 2] [--out FOLDER]

Needs torch, diffusers and transformers; sd1 writes 3 GB and takes about 6 GiB of memory. Exits 1 where a trial is not ok.
"""
import argparse
import csv
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from diffusion_shapes import SD1, SDXL, TINY, drawn
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

ROOT = Path(__file__).resolve().parent.parent
UNETS = {"tiny": TINY, "sd1": SD1, "sdxl": SDXL}
CLIP_L = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12)
OPEN_CLIP_G = dict(hidden_size=1280, intermediate_size=5120, num_attention_heads=20, num_hidden_layers=32, projection_dim=1280,
                   hidden_act="gelu")
TEXTS = {
    "tiny": [dict(hidden_size=64, intermediate_size=128, num_attention_heads=4, num_hidden_layers=2)],
    "sd1": [CLIP_L],
    "sdxl": [CLIP_L, OPEN_CLIP_G],
}
CODERS = {"tiny": (32, 32, 64, 64), "sd1": (128, 256, 512, 512), "sdxl": (128, 256, 512, 512)}

# What comes after images, metrics and timing in each spec: a title and a pipeline.
REFINE = "checkpoint: model, denoise: 0.5, steps: 2, guidance: 1, prompt: none"
TILES = "size: 192, overlap: 64"
SWEEPS = [
    ("whole", f"  - upscale: {{model: lanczos}}\n  - refine: {{{REFINE}, vae-tiles: [none, diffusers, comfy, fast, exact], "
              "vae-tile: 128, vae-overlap: 32}\n"),
    ("usdu", f"  - upscale: {{model: lanczos, fit: usdu}}\n  - refine: {{{REFINE}, tile: {{{TILES}, "
             "mode: {zip: [linear, linear, linear, chess, none, linear, linear, linear]}, "
             "crop: {zip: [a1111, comfy, comfy-minimal, a1111, a1111, a1111, a1111, a1111]}, "
             "seam-fix: {zip: [none, none, none, none, band, band, half-tile, half-tile-intersections]}}}\n"),
    ("merged", f"  - upscale: {{model: lanczos}}\n  - refine: {{{REFINE}, tile: {{{TILES}, mode: [multidiffusion, mixture], "
               "jitter: [false, true], inversion-steps: [0, 2]}}\n"),
    ("control", f"  - upscale: {{model: lanczos}}\n  - refine: {{{REFINE}, control-net: control, control-preprocessor: "
                "[tile-resample, tile-colorfix, tile-colorfix-sharp, blur-gaussian]}\n"),
    ("control-tiles", f"  - upscale: {{model: lanczos}}\n  - refine: {{{REFINE}, control-net: control, tile: {{{TILES}, "
                      "mode: [linear, chess, multidiffusion, mixture]}}\n"),
    ("hires", "  - hires: {checkpoint: model, denoise: 0.5, steps: 2, guidance: 1, prompt: none, upscaler: [latent, "
              "latent-antialiased, latent-bicubic, latent-bicubic-antialiased, latent-nearest, latent-nearest-exact, "
              "latent-bislerp, lanczos, compact-x2], control-net: [none, control]}\n"),
    ("handover", f"  - upscale: {{model: lanczos}}\n  - refine: {{{REFINE}, refiner: model, refiner-at: 0.8, "
                 "sampler: dpmpp-2m}\n"),
]


def write_checkpoint(shape, folder):
    """A folder as diffusers saves it, in half precision, one part after the other."""
    if (folder / "done").exists():
        return
    model = folder / "model"
    unet = drawn(UNet2DConditionModel(sample_size=32, **UNETS[shape]), 1).half()
    unet.save_pretrained(model / "unet")
    drawn(ControlNetModel.from_unet(unet), 2).half().save_pretrained(folder / "control")
    del unet
    drawn(AutoencoderKL(block_out_channels=CODERS[shape], layers_per_block=2 if shape != "tiny" else 1, latent_channels=4,
                        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4),
          3).half().save_pretrained(model / "vae")
    for i, config in enumerate(TEXTS[shape]):
        kind = CLIPTextModelWithProjection if "projection_dim" in config else CLIPTextModel
        text = kind(CLIPTextConfig(vocab_size=49408, bos_token_id=49406, eos_token_id=49407, pad_token_id=49407, **config))
        drawn(text, 4 + i).half().save_pretrained(model / ("text_encoder" if i == 0 else f"text_encoder_{i + 1}"))
    (model / "model_index.json").write_text("{}")
    (folder / "done").touch()


def call(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stderr}")
    return done.stdout


def run(title, pipeline, arguments, folder):
    scale = "images: {procedural: {count: 1, size: 256, seed: 1}, lr: {scale: 2, kernel: matlab-bicubic}}\n"
    (folder / f"{title}.yaml").write_text(f"name: {title}\n{scale}pipeline:\n{pipeline}metrics: [psnr-y]\ntiming: none\n")
    for left in folder.glob(f"{title}.db*"):
        if left.is_file():
            left.unlink()
    call([arguments.program, "run", f"{title}.yaml", "--device", "cpu", "--threads", str(arguments.threads), "--keep-outputs",
          "none"], folder)
    return list(csv.DictReader(io.StringIO(call([arguments.program, "report", f"{title}.db", "--csv", "-"], folder))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="tiny", choices=UNETS)
    parser.add_argument("--program", default=str(ROOT / "build/upbench"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="one of " + ", ".join(title for title, _ in SWEEPS))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    folder = arguments.out or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    write_checkpoint(arguments.shape, folder)
    bad = 0
    print("| sweep | cells | ok | seconds |\n|---|---:|---:|---:|")
    for title, pipeline in SWEEPS:
        if arguments.only not in (None, title):
            continue
        begin = time.perf_counter()
        rows = run(title, pipeline, arguments, folder)
        ok = sum(row["status"] == "ok" for row in rows)
        bad += len(rows) - ok
        print(f"| {title} | {len(rows)} | {ok} | {time.perf_counter() - begin:.0f} |", flush=True)
        for row in rows:
            if row["status"] != "ok":
                print(f"{row}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
