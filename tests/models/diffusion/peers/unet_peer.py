"""UNets and ControlNets of diffusers with random weights: what they make of random inputs.

For each case: CASE/weights/NAME, CASE/INPUT (latents, timesteps, context, vector, labels, control.K), CASE/output;
for ControlNets also CASE/hint and CASE/residual.K, and CASE/unet/... for a UNet that is given the residuals.
"""
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from peer import draw, write

def network(channels, attends, size, *, layers=1, context=32, heads=8, tokens=77, ids=0, **config):
    """size: pictures, height, width of the latents; ids: how many numbers beside the text tell SDXL's sizes."""
    if ids:
        config.update(addition_embed_type="text_time", addition_time_embed_dim=8,
                      projection_class_embeddings_input_dim=16 + 8 * ids)
    # attention_head_dim is the number of heads in these models, whatever it is called.
    config.update(block_out_channels=channels, layers_per_block=layers, cross_attention_dim=context,
                  attention_head_dim=heads,
                  down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attends))
    up = tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attends))
    return {"config": config, "up": up, "size": size, "tokens": tokens, "ids": ids}


CASES = {
    "sd1": network((32, 64), (1, 0), (2, 8, 8), layers=2, context=24),
    "sd2": network((64, 128), (1, 0), (2, 6, 10), context=40, heads=(1, 2), use_linear_projection=True),
    "sdxl": network((32, 64, 128), (0, 1, 1), (2, 8, 8), layers=2, context=48, heads=(1, 1, 2), ids=6,
                    use_linear_projection=True, transformer_layers_per_block=(1, 2, 3)),
    "refiner": network((32, 64, 128, 128), (0, 1, 1, 0), (1, 16, 8), context=48, heads=(1, 1, 2, 2), ids=5,
                       use_linear_projection=True, transformer_layers_per_block=2),
    "upscaler": network((32, 64, 64, 128), (0, 1, 1, 1), (2, 16, 8), context=128, in_channels=7, num_class_embeds=20,
                        use_linear_projection=True, only_cross_attention=(True, True, True, False)),
    "inpainting": network((32, 64), (1, 1), (1, 8, 8), context=24, in_channels=9),
    "odd-sizes": network((32, 96, 64), (1, 1, 0), (3, 11, 7), layers=3, tokens=1,
                         transformer_layers_per_block=(2, 1, 3)),
    "long-context": network((32, 64, 64), (1, 0, 1), (1, 5, 13), heads=(2, 4, 4), tokens=154,
                            use_linear_projection=True),
    "one-level": network((64,), (1,), (1, 1, 3), layers=2, tokens=5),
}
CONTROL = {
    "control-sd1": network((32, 64), (1, 0), (2, 8, 8), layers=2, context=24),
    "control-odd": network((32, 64, 96), (0, 1, 1), (1, 11, 6), tokens=9),
}


def inputs_of(case, in_channels, config, generator):
    pictures, height, width = case["size"]
    normal = lambda *shape: torch.randn(shape, generator=generator)
    inputs = {"latents": normal(pictures, in_channels, height, width),
              "timesteps": torch.tensor([7.25, 801.0, 0.0])[:pictures],
              "context": normal(pictures, case["tokens"], config["cross_attention_dim"])}
    if "num_class_embeds" in config:
        inputs["labels"] = torch.tensor([3, 19, 0])[:pictures]
    return inputs


def unet_case(case, generator):
    config = case["config"]
    model = draw(UNet2DConditionModel(sample_size=8, up_block_types=case["up"], **config), generator)
    inputs = inputs_of(case, config.get("in_channels", 4), config, generator)
    added = None
    if case["ids"]:
        pictures = case["size"][0]
        text = torch.randn(pictures, 16, generator=generator)
        ids = torch.rand(pictures, case["ids"], generator=generator) * 1024
        added = {"text_embeds": text, "time_ids": ids}
        inputs["vector"] = torch.cat([text, model.add_time_proj(ids.flatten()).reshape(pictures, -1)], dim=1)
    output = model(inputs["latents"], inputs["timesteps"], inputs["context"], class_labels=inputs.get("labels"),
                   added_cond_kwargs=added).sample
    return {**inputs, "output": output, **weights_of(model, "weights/")}


def weights_of(model, prefix):
    return {prefix + name: tensor for name, tensor in model.state_dict().items()}


def control_case(case, generator):
    config = case["config"]
    net = draw(ControlNetModel(conditioning_embedding_out_channels=(16, 32, 96, 256), **config), generator)
    unet = draw(UNet2DConditionModel(sample_size=8, up_block_types=case["up"], **config), generator)
    inputs = inputs_of(case, 4, config, generator)
    pictures, height, width = case["size"]
    inputs["hint"] = torch.rand(pictures, 3, 8 * height, 8 * width, generator=generator)
    asked = (inputs["latents"], inputs["timesteps"], inputs["context"])
    down, middle = net(*asked, controlnet_cond=inputs["hint"], return_dict=False)
    output = unet(*asked, down_block_additional_residuals=down, mid_block_additional_residual=middle).sample
    residuals = {f"residual.{k:02}": residual for k, residual in enumerate((*down, middle))}
    return {**inputs, **residuals, "output": output, **weights_of(net, "weights/"), **weights_of(unet, "unet/")}


def main():
    generator = torch.Generator().manual_seed(20)
    tensors = {}
    with torch.no_grad():
        for cases, make in ((CASES, unet_case), (CONTROL, control_case)):
            for name, case in cases.items():
                tensors.update({f"{name}/{key}": tensor for key, tensor in make(case, generator).items()})
    write(tensors, "diffusers")


main()
