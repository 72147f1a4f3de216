"""What the comparisons with diffusers share: configurations of published diffusion models, and random weights for them."""
import torch

D, C, CU, U = "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"
SD1 = dict(block_out_channels=(320, 640, 1280, 1280), down_block_types=(C, C, C, D), up_block_types=(U, CU, CU, CU),
           cross_attention_dim=768, attention_head_dim=8)
SD2 = {**SD1, "cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20), "use_linear_projection": True}
SDXL = dict(block_out_channels=(320, 640, 1280), down_block_types=(D, C, C), up_block_types=(CU, CU, U),
            cross_attention_dim=2048, attention_head_dim=(5, 10, 20), use_linear_projection=True,
            transformer_layers_per_block=(1, 2, 10), addition_embed_type="text_time", addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816)
# One of each kind of block, small enough to be asked in milliseconds.
TINY = dict(block_out_channels=(32, 64), down_block_types=(C, D), up_block_types=(U, CU), layers_per_block=1,
            cross_attention_dim=64, attention_head_dim=4)


def draw(model, generator):
    """Weights of which every one matters: norms around 1, biases around 0, matrices by their fan in."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2:
                parameter.normal_(0, parameter[0].numel() ** -0.5, generator=generator)
            else:
                parameter.normal_(1.0 if name.endswith("weight") else 0.0, 0.1, generator=generator)
    return model.eval()


def drawn(model, seed):
    return draw(model, torch.Generator().manual_seed(seed))
