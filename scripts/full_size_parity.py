#!/usr/bin/env python3
"""Full-size networks of diffusion models against diffusers and transformers: the largest error, and for UNets the
time of a step in turns.

  full_size_parity.py [--build build] [--models sd1,sd2,sdxl,vae,clip-l,open-clip-h,open-clip-g] [--side N]
                      [--batch 2] [--threads 1,2] [--rounds 7] [--memory 16]

Needs torch, diffusers, transformers and safetensors. Weights are random (of a fixed seed), float32. Both programs hold the same
file's weights; where both together would take more than --memory GiB, the peer's step is run first and only the error
is told. One thread is timed by processor time, which other programs change little; several by wall time. The ratio is
the peer's time by ours, median and least over the rounds.
"""
import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from diffusion_shapes import SD1, SD2, SDXL, draw
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

MODELS = {"sd1": (SD1, 64), "sd2": (SD2, 64), "sdxl": (SDXL, 64)}


def make_inputs(model, config, side, batch, generator):
    normal = lambda *shape: torch.randn(shape, generator=generator)
    inputs = {"latents": normal(batch, 4, side, side), "timesteps": torch.linspace(801.25, 10, batch),
              "context": normal(batch, 77, config["cross_attention_dim"])}
    added = None
    if "addition_embed_type" in config:
        text, ids = normal(batch, 1280), torch.tensor([[8.0 * side, 8.0 * side, 0, 0, 8.0 * side, 8.0 * side]] * batch)
        added = {"text_embeds": text, "time_ids": ids}
        inputs["vector"] = torch.cat([text, model.add_time_proj(ids.flatten()).reshape(batch, -1)], dim=1)
    return inputs, added


class Ours:
    def __init__(self, program, folder, threads):
        self.output = folder / f"ours{threads}.safetensors"
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        command = [program, folder / "unet.safetensors", folder / "inputs.safetensors", self.output, str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def step(self):
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            sys.exit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return float(said)

    def result(self):
        return load_file(self.output)["output"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def relative_error(ours, peer):
    return ((ours.double() - peer.double()).abs().max() / peer.double().abs().max()).item()


def compare(name, arguments, folder):
    config, side = MODELS[name]
    side = arguments.side or side
    generator = torch.Generator().manual_seed(5)
    model = draw(UNet2DConditionModel(**config), generator)
    inputs, added = make_inputs(model, config, side, arguments.batch, generator)
    save_file(dict(model.state_dict()), folder / "unet.safetensors")
    save_file({key: value.contiguous() for key, value in inputs.items()}, folder / "inputs.safetensors")
    size = (folder / "unet.safetensors").stat().st_size / 2**30

    def peer_step(threads):
        torch.set_num_threads(threads)
        clock = time.process_time if threads == 1 else time.perf_counter
        start = clock()
        with torch.inference_mode():
            output = model(inputs["latents"], inputs["timesteps"], inputs["context"], added_cond_kwargs=added).sample
        return clock() - start, output

    counts = [int(count) for count in arguments.threads.split(",")]
    expected = peer_step(counts[-1])[1]
    label = f"{name} {side}x{side} batch {arguments.batch}"
    if 2 * size + 2 > arguments.memory:
        del model
        gc.collect()
        ours = Ours(Path(arguments.build) / "upbench_unet_step", folder, counts[-1])
        ours.step()
        print(f"{label}: max error {relative_error(ours.result(), expected):.1e} relative; "
              f"{size:.1f} GiB of weights: not in turns", flush=True)
        ours.close()
        return
    for threads in counts:
        ours = Ours(Path(arguments.build) / "upbench_unet_step", folder, threads)
        ours.step()  # warm
        peer_step(threads)
        pairs = [(peer_step(threads)[0], ours.step()) for _ in range(arguments.rounds)]
        ratios = [peer / own for peer, own in pairs]
        peers, own = (statistics.median(column) for column in zip(*pairs))
        print(f"{label}, {threads} thread(s): max error {relative_error(ours.result(), expected):.1e} relative; "
              f"diffusers {peers:.2f} s, ours {own:.2f} s; {statistics.median(ratios):.2f} times as fast "
              f"(least {min(ratios):.2f})", flush=True)
        ours.close()


# Text encoders: layers, width, projection.
TEXT = {"clip-l": (12, 768, 0), "open-clip-h": (24, 1024, 1024), "open-clip-g": (32, 1280, 1280)}


def trace(arguments, part, option, weights, inputs, folder):
    save_file({key: value.contiguous() for key, value in weights.items()}, folder / "weights.safetensors")
    save_file(inputs, folder / "inputs.safetensors")
    output = folder / "output.safetensors"
    subprocess.run([Path(arguments.build) / "upbench", "trace", option, folder / "weights.safetensors", "--part", part,
                    "--inputs", folder / "inputs.safetensors", "-o", output, "--device", "cpu"],
                   check=True, stdout=subprocess.DEVNULL)
    return load_file(output)


@torch.inference_mode()
def compare_autoencoder(arguments, folder):
    generator = torch.Generator().manual_seed(5)
    model = draw(AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
                               down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4),
                 generator)
    side = 8 * (arguments.side or 64)
    picture = torch.rand((1, 3, side, side), generator=generator) * 2 - 1
    weights, posterior = dict(model.state_dict()), model.encode(picture).latent_dist
    ours = trace(arguments, "vae-encode", "--vae", weights, {"image": picture}, folder)
    encoded = relative_error(ours["mean"], posterior.mean)
    expected = model.decode(posterior.mean).sample
    ours = trace(arguments, "vae-decode", "--vae", weights, {"latents": posterior.mean}, folder)
    print(f"vae (SD 1, SD 2, SDXL) {side}x{side}: max error {encoded:.1e} encoding, "
          f"{relative_error(ours['decoded'], expected):.1e} decoding, relative", flush=True)


@torch.inference_mode()
def compare_text(name, arguments, folder):
    layers, width, projection = TEXT[name]
    config = CLIPTextConfig(hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
                            num_attention_heads=width // 64, projection_dim=projection or 512, eos_token_id=49407,
                            hidden_act="gelu" if projection else "quick_gelu")
    model = draw((CLIPTextModelWithProjection if projection else CLIPTextModel)(config),
                 torch.Generator().manual_seed(5))
    ids = torch.full((2, 77), 49407)
    ids[:, 0] = 49406
    ids[1, 1:20] = torch.arange(500, 519)
    said = model(ids, output_hidden_states=True)
    weights = {key if key.startswith("text_") else f"text_model.{key}": value for key, value in model.state_dict().items()}
    ours = trace(arguments, "text", "--text-encoder", weights, {"input_ids": ids}, folder)
    errors = [relative_error(ours["last_hidden_state"], said.last_hidden_state),
              relative_error(ours["hidden_state_before_last_layer"], said.hidden_states[-2]),
              relative_error(ours["pooler_output"], said.text_embeds if projection else said.pooler_output)]
    print(f"{name}: max error {max(errors):.1e} relative", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--models", default=",".join(["sd1", "sdxl", "vae", *TEXT]))
    parser.add_argument("--side", type=int, help="of the latents; default 64")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", type=float, default=16.0)
    arguments = parser.parse_args()
    import diffusers
    print(f"torch {torch.__version__}, diffusers {diffusers.__version__}")
    for name in arguments.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            if name == "vae":
                compare_autoencoder(arguments, Path(folder))
            elif name in TEXT:
                compare_text(name, arguments, Path(folder))
            else:
                compare(name, arguments, Path(folder))


main()
