"""Autoencoders of diffusers with drawn weights: what they make of drawn pictures and latents, whole and tiled."""
import torch
from diffusers import AutoencoderKL, AutoencoderTiny

import peer

KL = {  # constructor's arguments, then height and width of the picture
    "quant": (dict(block_out_channels=(32, 64, 64), layers_per_block=2), 40, 24),
    "no_quant_16": (
        dict(block_out_channels=(64, 32), layers_per_block=1, latent_channels=16, use_quant_conv=False, use_post_quant_conv=False),
        10,
        26,
    ),
    "one_level": (dict(block_out_channels=(32,), layers_per_block=1), 13, 7),
    "no_attention": (dict(block_out_channels=(32, 96, 64, 32), layers_per_block=1, mid_block_add_attention=False), 24, 48),
    "groups_8": (dict(block_out_channels=(24, 48), layers_per_block=2, norm_num_groups=8), 18, 14),
    "tiled": (dict(block_out_channels=(32, 64, 32), layers_per_block=1, sample_size=32), 76, 52),
}
TINY = {
    "tiny_4": (dict(latent_channels=4), 16, 24),
    "tiny_16": (
        dict(
            latent_channels=16,
            encoder_block_out_channels=(16, 16, 16),
            decoder_block_out_channels=(16, 16, 16),
            num_encoder_blocks=(1, 2, 1),
            num_decoder_blocks=(2, 1, 3),
        ),
        12,
        20,
    ),
}


def kinds(count):
    return dict(down_block_types=("DownEncoderBlock2D",) * count, up_block_types=("UpDecoderBlock2D",) * count)


@torch.no_grad()
def main():
    generator = torch.Generator().manual_seed(7)
    out = {}

    def record(name, model, height, width):
        picture = torch.rand(2, 3, height, width, generator=generator) * 2 - 1
        out.update({f"{name}/weights/{key}": value for key, value in model.state_dict().items()})
        out[f"{name}/picture"] = picture
        return picture

    for name, (arguments, height, width) in KL.items():
        model = peer.draw(AutoencoderKL(**kinds(len(arguments["block_out_channels"])), **arguments), generator)
        picture = record(name, model, height, width)
        if name == "tiled":
            model.enable_tiling()
        posterior = model.encode(picture).latent_dist
        out[f"{name}/mean"], out[f"{name}/logvar"] = posterior.mean, posterior.logvar
        out[f"{name}/latents"] = torch.randn(posterior.mean.shape, generator=generator)
        out[f"{name}/decoded"] = model.decode(out[f"{name}/latents"]).sample

    for name, (arguments, height, width) in TINY.items():
        model = peer.draw(AutoencoderTiny(**arguments), generator)
        picture = record(name, model, height, width)
        out[f"{name}/mean"] = model.encode(picture).latents
        out[f"{name}/latents"] = 3 * torch.randn(out[f"{name}/mean"].shape, generator=generator)
        out[f"{name}/decoded"] = model.decode(out[f"{name}/latents"]).sample

    peer.write(out, "diffusers")


main()
