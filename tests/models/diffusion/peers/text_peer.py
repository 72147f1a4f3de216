"""transformers' text encoders with random weights, and its tokenizer on generated texts.

With CLIP's vocabulary as UPBENCH_CLIP_VOCABULARY the answer holds tokenizer.*: texts and ids as one row each, with
where each text's part ends, and pipeline.*: what diffusers' pipelines make of PROMPT; without it the encoders alone.
"""
import os
import random

import torch
import transformers

import peer
from clip_tokenizer import reference_tokenizer

# name, configuration, with a projection
ENCODERS = [
    ("quick", dict(hidden_size=64, intermediate_size=96, num_attention_heads=1, num_hidden_layers=3, vocab_size=100,
                   hidden_act="quick_gelu"), False),
    ("projected", dict(hidden_size=128, intermediate_size=512, num_attention_heads=2, num_hidden_layers=4, vocab_size=77,
                       hidden_act="gelu", projection_dim=48), True),
    ("odd", dict(hidden_size=60, intermediate_size=37, num_attention_heads=5, num_hidden_layers=5, vocab_size=131,
                 max_position_embeddings=19, hidden_act="quick_gelu", projection_dim=33), True),
    ("one_layer", dict(hidden_size=8, intermediate_size=8, num_attention_heads=4, num_hidden_layers=1, vocab_size=9,
                       hidden_act="gelu"), False),
]


def encoders(tensors):
    generator = torch.Generator().manual_seed(7)
    for name, config, with_projection in ENCODERS:
        config = {"max_position_embeddings": 77, **config}
        end = config["vocab_size"] - 1
        config = transformers.CLIPTextConfig(**config, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end)
        kind = transformers.CLIPTextModelWithProjection if with_projection else transformers.CLIPTextModel
        model = peer.draw(kind(config), generator)
        length = config.max_position_embeddings
        ids = torch.randint(0, end - 1, (3, length), generator=generator)
        ids[:, 0] = end - 1
        for row, first in enumerate((1, 7, length - 1)):  # padded with the end, with 0 after one end, not at all
            ids[row, first:] = 0 if row == 1 else end
        ids[1, 7] = end
        with torch.no_grad():
            output = model(input_ids=ids, output_hidden_states=True)
        for key, value in model.state_dict().items():
            canonical = key if key.startswith("text_") else "text_model." + key
            tensors[f"{name}.weights.{canonical}"] = value
        tensors[f"{name}.ids"] = ids
        tensors[f"{name}.last"] = output.last_hidden_state
        tensors[f"{name}.pooled"] = output.text_embeds if with_projection else output.pooler_output
        for skip, state in enumerate(reversed(output.hidden_states)):
            tensors[f"{name}.skipped.{skip}"] = state


def counts(tensors):
    """The sizes of the published encoders, on the meta device."""
    for name, config, kind in (
            ("clip_l", dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12), "CLIPTextModel"),
            ("open_clip_h", dict(hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=23), "CLIPTextModel"),
            ("open_clip_g", dict(hidden_size=1280, intermediate_size=5120, num_attention_heads=20, num_hidden_layers=32,
                                 projection_dim=1280), "CLIPTextModelWithProjection")):
        with torch.device("meta"):
            model = getattr(transformers, kind)(transformers.CLIPTextConfig(vocab_size=49408, **config))
        tensors[f"parameters.{name}"] = torch.tensor(sum(p.numel() for p in model.parameters()))


RANGES = {  # of assigned characters, by what they try
    "ascii": (0x20, 0x7E), "control": (0x01, 0x1F), "latin": (0xA0, 0x24F), "marks": (0x300, 0x36F), "greek": (0x391, 0x3C9),
    "cyrillic": (0x400, 0x4FF), "hebrew": (0x5D0, 0x5EA), "arabic": (0x621, 0x64A), "devanagari": (0x904, 0x939),
    "thai": (0xE01, 0xE3A), "jamo": (0x1100, 0x11FF), "hangul": (0xAC00, 0xD7A3), "kana": (0x3041, 0x30FF),
    "cjk": (0x4E00, 0x9FFF), "compatibility": (0xF900, 0xFA6D), "spaces": (0x2000, 0x200F), "punctuation": (0x2010, 0x205F),
    "enclosed": (0x2460, 0x24FF), "letterlike": (0x2100, 0x214F), "fullwidth": (0xFF01, 0xFF5E), "emoji": (0x1F300, 0x1F64F),
    "mathematics": (0x1D400, 0x1D7FF), "private": (0xE000, 0xE010), "deseret": (0x10400, 0x1044F), "tags": (0x1F1E6, 0x1F1FF),
}
WORDS = """a photo of the quick brown fox jumps over lazy dog masterpiece best quality 8k uhd highly detailed bokeh trending on
artstation by Greg Rutkowski don't can't it's we're they've I'm she'll he'd 'S 'T 'RE o'clock rock'n'roll 3.14 1,000 50mm f/1.8
&amp; &lt;b&gt; &#39; (((masterpiece))) [bad:1.2] <lora:x:1> <|endoftext|> <|startoftext|> <|ENDOFTEXT|> !!<|StartOfText|>'s!! under_score
hyphen-ated ünïcödé İstanbul ΣΊΣΥΦΟΣ straße ǅ ﬁne Å Å é é ½ Ⅷ ٣ ١٢٣ 四 👩‍👩‍👧‍👦 🇯🇵 ☺️ 가각힣 각 ñ ạ̈ ọ̈ \t \r\n \x85""".replace("\\t", "\t").replace(
    "\\r\\n", "\r\n").replace("\\x85", "\x85").split(" ")


def texts():
    rng = random.Random(11)
    found = ["", " ", "\n\n", "a" * 20000, "word " * 5000, "🙂" * 3000, "'" * 999, "ab" * 3000, "x̂̃" * 500,
             "the the-the  the", "\u0000nul", "\ufeffbom", "<|endoftext|>" * 3, "a<|startoftext|>b", "<|START", "'s's't'llama"]
    found += WORDS + [" ".join(WORDS)]
    while len(found) < 1200:
        parts = []
        for _ in range(rng.randint(1, 12)):
            low, high = RANGES[rng.choice(list(RANGES))]
            draw = rng.random()
            if draw < 0.4:
                parts.append(rng.choice(WORDS))
            elif draw < 0.8:
                parts.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 9))))
            else:  # a mixture, with marks out of their canonical order among it
                parts.append("".join(chr(rng.randint(*RANGES[rng.choice(list(RANGES))])) for _ in range(rng.randint(2, 12))))
        found.append(rng.choice(["", " ", "  ", ","]).join(parts))
    return found


def tokens(tensors, path):
    tokenizer = reference_tokenizer(path)
    written, ids = [text.encode() for text in texts()], [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts()]
    for name, rows, kind in (("texts", written, torch.uint8), ("ids", ids, torch.int64)):
        tensors[f"tokenizer.{name}"] = torch.tensor([value for row in rows for value in row], dtype=kind)
        tensors[f"tokenizer.{name}_ends"] = torch.tensor([len(row) for row in rows]).cumsum(0)


PROMPT = "A photo, of a Café! " + "many words and more! " * 20


def pipelines(tensors, path):
    """Contexts and pooled outputs by clip_skip; of SD 1 and SDXL with small encoders."""
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, logging
    for quiet in (logging, transformers.logging):  # that the prompt is cut is what is tried
        quiet.set_verbosity_error()
    generator = torch.Generator().manual_seed(9)
    small = dict(vocab_size=49408, hidden_size=32, intermediate_size=40, num_attention_heads=4, num_hidden_layers=4,
                 bos_token_id=49406, eos_token_id=49407, pad_token_id=49407)
    first = peer.draw(transformers.CLIPTextModel(transformers.CLIPTextConfig(**small)), generator)
    second = peer.draw(transformers.CLIPTextModelWithProjection(
        transformers.CLIPTextConfig(**small, hidden_act="gelu", projection_dim=24)), generator)
    # diffusers 0.42.1 looks for the final norm where transformers 5 no longer has it.
    object.__setattr__(first, "text_model", first)
    tokenizer = reference_tokenizer(path, model_max_length=77)
    tokenizer_2 = reference_tokenizer(path, model_max_length=77, pad_token="!")
    for name, model in (("first", first), ("second", second)):
        for key, value in model.state_dict().items():
            tensors[f"pipeline.{name}.{key if key.startswith('text_') else 'text_model.' + key}"] = value
    sd1 = StableDiffusionPipeline(vae=None, text_encoder=first, tokenizer=tokenizer, unet=None, scheduler=None, safety_checker=None,
                                  feature_extractor=None, requires_safety_checker=False)
    sdxl = StableDiffusionXLPipeline(vae=None, text_encoder=first, text_encoder_2=second, tokenizer=tokenizer,
                                     tokenizer_2=tokenizer_2, unet=None, scheduler=None, add_watermarker=False)
    with torch.no_grad():
        for skip in (0, 1, 2):
            asked = dict(device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False, clip_skip=skip or None)
            tensors[f"pipeline.sd1.{skip}"] = sd1.encode_prompt(PROMPT, **asked)[0]
            context, _, pooled, _ = sdxl.encode_prompt(PROMPT, **asked)
            tensors[f"pipeline.sdxl.{skip}"], tensors[f"pipeline.sdxl.pooled.{skip}"] = context, pooled
    tensors["pipeline.prompt"] = torch.tensor([*PROMPT.encode()], dtype=torch.uint8)


answer = {}
encoders(answer)
counts(answer)
if "UPBENCH_CLIP_VOCABULARY" in os.environ:
    tokens(answer, os.environ["UPBENCH_CLIP_VOCABULARY"])
    pipelines(answer, os.environ["UPBENCH_CLIP_VOCABULARY"])
peer.write(answer, "transformers", "tokenizers", "diffusers")
