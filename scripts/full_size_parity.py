#!/usr/bin/env python3
"""Full-size UNets of diffusion models against diffusers: the largest error, and the time of a step in turns.

  full_size_parity.py [--step build/upbench_unet_step] [--models sd1,sd2,sdxl] [--side N] [--batch 2]
                      [--threads 1,2] [--rounds 7] [--memory 16]

Needs torch, diffusers and safetensors. Weights are random (of a fixed seed), float32. Both programs hold the same
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
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

D, C, CU, U = "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"
SD1 = dict(block_out_channels=(320, 640, 1280, 1280), down_block_types=(C, C, C, D), up_block_types=(U, CU, CU, CU),
           cross_attention_dim=768, attention_head_dim=8)
MODELS = {
    "sd1": (SD1, 64),
    "sd2": ({**SD1, "cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20),
             "use_linear_projection": True}, 64),
    "sdxl": (dict(block_out_channels=(320, 640, 1280), down_block_types=(D, C, C), up_block_types=(CU, CU, U),
                  cross_attention_dim=2048, attention_head_dim=(5, 10, 20), use_linear_projection=True,
                  transformer_layers_per_block=(1, 2, 10), addition_embed_type="text_time", addition_time_embed_dim=256,
                  projection_class_embeddings_input_dim=2816), 64),
}


def draw(model, generator):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2:
                parameter.normal_(0, parameter[0].numel() ** -0.5, generator=generator)
            else:
                parameter.normal_(1.0 if name.endswith("weight") else 0.0, 0.1, generator=generator)
    return model.eval()


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
        ours = Ours(arguments.step, folder, counts[-1])
        ours.step()
        print(f"{label}: max error {relative_error(ours.result(), expected):.1e} relative; "
              f"{size:.1f} GiB of weights: not in turns", flush=True)
        ours.close()
        return
    for threads in counts:
        ours = Ours(arguments.step, folder, threads)
        ours.step()  # warm
        peer_step(threads)
        pairs = [(peer_step(threads)[0], ours.step()) for _ in range(arguments.rounds)]
        ratios = [peer / own for peer, own in pairs]
        peers, own = (statistics.median(column) for column in zip(*pairs))
        print(f"{label}, {threads} thread(s): max error {relative_error(ours.result(), expected):.1e} relative; "
              f"diffusers {peers:.2f} s, ours {own:.2f} s; {statistics.median(ratios):.2f} times as fast "
              f"(least {min(ratios):.2f})", flush=True)
        ours.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", default="build/upbench_unet_step")
    parser.add_argument("--models", default="sd1,sdxl")
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
            compare(name, arguments, Path(folder))


main()
