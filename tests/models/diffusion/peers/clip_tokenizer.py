"""transformers' CLIP tokenizer with OpenAI's vocabulary, from its list of merges."""
import gzip

import transformers


def alphabet():
    """GPT-2's table: byte -> the character that vocabularies write for it, in the order of ids."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(0x100 + i) for i in range(len(rest))]


def reference_tokenizer(path, **settings):
    lines = gzip.open(path).read().decode().split("\n")[1:49152 - 256 - 2 + 1]
    merges = [tuple(line.split()) for line in lines]
    symbols = alphabet()
    symbols += [s + "</w>" for s in symbols] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={s: i for i, s in enumerate(symbols)}, merges=merges, **settings)
