"""Writes modules.json: what modules of the checkpoints give, under their names in transformers.

    python3 make_checkpoints.py && python3 make_modules.py

Made with the versions that make_checkpoints.py names. Row 0 of golden.safetensors (no padding) goes
through each model; of every module that is called with one tensor of [1, T, ...] as its (first)
output, the first eight numbers at the last token are kept.
"""

import json

import torch
from make_checkpoints import HERE, load
from safetensors.torch import load_file

NAMES = [
    "gpt2", "llama3", "qwen3", "gemma", "gemma2", "gemma3", "falcon", "falcon-new", "phi3",
    "gpt-neox", "gpt-neox-sequential",
]


@torch.no_grad()
def outputs(name):
    directory = HERE / "checkpoints" / name
    model = load(name, directory)
    ids = load_file(directory / "golden.safetensors")["ids"][:1].long()
    found = {}

    def hook(path):
        def keep(_, args, output):
            output = output[0] if isinstance(output, tuple) else output
            if isinstance(output, torch.Tensor) and output.shape[:2] == ids.shape:
                numbers = output[0, -1].flatten()[:8].tolist()
                found[path] = [float(f"{number:.7g}") for number in numbers]
        return keep

    for path, module in model.named_modules():
        if path:
            module.register_forward_hook(hook(path))
    model(input_ids=ids, use_cache=False)
    return found


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(outputs(name))}" for name in NAMES]
    (HERE / "modules.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
