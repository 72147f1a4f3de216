"""What merging a LoRA must give, and how diffusers reads kohya's names.

layer.KIND.*: a layer's weight, the matrices of its LoRA, an input, and the output of the layer with the LoRA beside
it, as it is trained: y = layer(x) + scale * up(mid(down(x))). names: "kohya's module\\ndiffusers' module\\n..." of every
module of an SDXL that kohya's trainers know, by diffusers' own conversion.
"""
from types import SimpleNamespace

import torch
from diffusers.loaders import lora_conversion_utils as conversion
from torch.nn.functional import conv2d, linear

import peer

STRENGTH, ALPHA, RANK = 0.7, 3.0, 4


def layers(tensors):
    generator = torch.Generator().manual_seed(3)
    normal = lambda *shape: torch.randn(shape, generator=generator)
    for kind, size, stride in (("linear", 0, 1), ("conv1", 1, 1), ("conv3", 3, 2), ("tucker", 3, 1)):
        inputs, outputs = 12, 20
        square = (size, size) if size else ()
        one = (1, 1) if size else ()
        weight, up = normal(outputs, inputs, *square), normal(outputs, RANK, *one)
        down = normal(RANK, inputs, *(one if kind == "tucker" else square))
        x = normal(3, inputs, 9, 7) if size else normal(3, 5, inputs)
        if size == 0:
            y = linear(x, weight) + STRENGTH * ALPHA / RANK * linear(linear(x, down), up)
        elif kind == "tucker":
            middle = normal(RANK, RANK, *square)
            tensors["layer.tucker.middle"] = middle
            low = conv2d(conv2d(x, down), middle, padding=size // 2)
            y = conv2d(x, weight, padding=size // 2) + STRENGTH * ALPHA / RANK * conv2d(low, up)
        else:
            of = dict(stride=stride, padding=size // 2)
            y = conv2d(x, weight, **of) + STRENGTH * ALPHA / RANK * conv2d(conv2d(x, down, **of), up)
        for name, value in (("weight", weight), ("up", up), ("down", down), ("x", x), ("y", y)):
            tensors[f"layer.{kind}.{name}"] = value


def transformer(prefix, depth):
    yield from (f"{prefix}_proj_in", f"{prefix}_proj_out")
    for block in range(depth):
        for attention in ("attn1", "attn2"):
            yield from (f"{prefix}_transformer_blocks_{block}_{attention}_{part}" for part in ("to_q", "to_k", "to_v", "to_out_0"))
        yield from (f"{prefix}_transformer_blocks_{block}_ff_net_{part}" for part in ("0_proj", "2"))


def residual(prefix, has_skip):
    yield from (f"{prefix}_in_layers_2", f"{prefix}_emb_layers_1", f"{prefix}_out_layers_3")
    if has_skip:
        yield f"{prefix}_skip_connection"


def sdxl_by_ldm():
    """Of the UNet, as the authors' code counts its blocks."""
    yield from ("input_blocks_0_0", "time_embed_0", "time_embed_2", "label_emb_0_0", "label_emb_0_2", "out_2")
    for block, skip, depth in ((1, False, 0), (2, False, 0), (4, True, 2), (5, False, 2), (7, True, 10), (8, False, 10)):
        yield from residual(f"input_blocks_{block}_0", skip)
        if depth:
            yield from transformer(f"input_blocks_{block}_1", depth)
    yield from ("input_blocks_3_0_op", "input_blocks_6_0_op")
    yield from residual("middle_block_0", False)
    yield from transformer("middle_block_1", 10)
    yield from residual("middle_block_2", False)
    for block, depth in ((0, 10), (1, 10), (2, 10), (3, 2), (4, 2), (5, 2), (6, 0), (7, 0), (8, 0)):
        yield from residual(f"output_blocks_{block}_0", True)
        if depth:
            yield from transformer(f"output_blocks_{block}_1", depth)
    yield from ("output_blocks_2_2_conv", "output_blocks_5_2_conv")


def text(prefix, depth):
    for layer in range(depth):
        for part in ("self_attn_q_proj", "self_attn_k_proj", "self_attn_v_proj", "self_attn_out_proj", "mlp_fc1", "mlp_fc2"):
            yield f"{prefix}_text_model_encoder_layers_{layer}_{part}"


def names(tensors):
    modules = ["lora_unet_" + name for name in sdxl_by_ldm()] + [*text("lora_te1", 12), *text("lora_te2", 32)]
    # Each tensor holds the number of its module, by which it is found again under its other name.
    file = {}
    for number, module in enumerate(modules):
        file[module + ".lora_down.weight"] = file[module + ".lora_up.weight"] = torch.tensor(float(number))
    mapped = conversion._maybe_map_sgm_blocks_to_diffusers(file, SimpleNamespace(layers_per_block=2))
    converted, _ = conversion._convert_non_diffusers_lora_to_diffusers(mapped)
    lines = [f"{modules[int(value)]}\n{name}\n" for name, value in converted.items() if ".down." in name]
    assert len(lines) == len(modules)
    tensors["names"] = torch.tensor([*"".join(lines).encode()], dtype=torch.uint8)


answer = {"strength": torch.tensor(STRENGTH), "alpha": torch.tensor(ALPHA)}
layers(answer)
names(answer)
peer.write(answer, "diffusers")
