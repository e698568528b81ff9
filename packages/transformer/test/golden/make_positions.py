"""Writes positions.json: last logits of checkpoints where positions are given.

    python3 make_checkpoints.py && python3 make_positions.py

Made with the versions that make_checkpoints.py names. The texts are rows 0 and 1 of
golden.safetensors with all tokens counting (a mask of ones, so that transformers does not take
positions that begin anew for several texts packed in one row), or the second with two tokens of
padding before it. `position_ids` as given here go to transformers.
"""

import json

import torch
from make_checkpoints import HERE, load
from safetensors.torch import load_file

FAMILIES = ("gpt2", "llama", "llama-dynamic", "llama3", "gpt-neox", "gemma2")
LAST = 1


@torch.no_grad()
def main():
    found = {}
    for name in FAMILIES:
        directory = HERE / "checkpoints" / name
        ids = load_file(directory / "golden.safetensors")["ids"][:2, :12].long()
        count = ids.shape[1]
        ones = torch.ones_like(ids)
        padded = ones.clone()
        padded[1, :2] = 0
        steps = torch.arange(count)
        cases = {
            "later": (ones, torch.stack([steps + 5, steps])),
            "apart": (ones, torch.stack([2 * steps, steps // 2])),
            "anew": (ones, torch.stack([steps % 5, steps.flip(0)])),
            "padded": (padded, torch.stack([steps, steps + 3])),
        }
        found[name] = {"ids": ids.tolist(), "cases": {}}
        for case, (mask, positions) in cases.items():
            # A new one each time: those of dynamic scaling remember the longest text.
            logits = load(name, directory)(
                input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False
            ).logits[:, -LAST:]
            found[name]["cases"][case] = {
                "mask": mask.tolist(), "positions": positions.tolist(),
                "logits": [round(value, 6) for value in logits.flatten().tolist()],
            }
    (HERE / "positions.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
