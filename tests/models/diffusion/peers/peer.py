"""What the scripts of this folder share. Each is run as `python NAME.py FOLDER` by peer.cpp."""
import importlib.metadata
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file


def draw(module, generator):
    """Weights of which every one matters: norms around 1, biases around 0, matrices by their fan in."""
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() >= 2:
                parameter.copy_(noise / parameter[0].numel() ** 0.5)
            else:
                parameter.copy_(noise * 0.1 + (1.0 if name.endswith("weight") else 0.0))
    return module.eval()


def write(tensors, *packages):
    """Writes {name: tensor} and says which versions of the packages computed them."""
    folder = Path(sys.argv[1])
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(tensors, str(folder / "out.safetensors"))
    print(", ".join(f"{package} {importlib.metadata.version(package)}" for package in ("torch", *packages)))
