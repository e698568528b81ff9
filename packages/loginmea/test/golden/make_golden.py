"""PyTorch float64 twin of LoginMEA and its golden files.

Paper: "LoginMEA: Local-to-Global Interaction Network for Multi-Modal Entity Alignment", ECAI 2024,
arXiv 2407.19625. README.md names every tensor, formula and reading.

    python3 make_golden.py            # writes the safetensors and json files next to this script
    python3 make_golden.py --check    # self-checks and comparison with float32 only, writes nothing
"""

import argparse
import json
import os

import numpy as np
import torch
from safetensors.numpy import save as to_safetensors

from golden_checks import check_all, float32_distance
from golden_oracles import oracles
from golden_problem import SEED, make_parameters, make_problem
from golden_run import RUNS, run
from golden_variants import variants

HERE = os.path.dirname(os.path.abspath(__file__))


def as_array(value):
    """float64 for computed values; inputs keep float32, indices int32."""
    array = value.detach().numpy() if torch.is_tensor(value) else np.asarray(value)
    if array.dtype == np.int64:
        array = array.astype(np.int32)
    return np.ascontiguousarray(array)


def save(name, record):
    path = os.path.join(HERE, f"{name}.safetensors")
    data = to_safetensors({key: as_array(value) for key, value in record.items()})
    with open(path, "wb") as file:
        file.write(data)
    print(f"{name}.safetensors: {len(record)} tensors, {len(data)} bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="self-checks only")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)
    problem, start = make_problem(rng), make_parameters(rng)
    check_all(problem, start)
    records = {mode: run(problem, start, mode) for mode in RUNS}
    for mode, record in records.items():
        worst, where = float32_distance(problem, start, mode, record)
        print(f"float32 against float64, {mode}: largest difference {worst:.1e} in {where}")
        losses = [record[f"step{k}.loss"].mean().item() for k in range(RUNS[mode][1])]
        print("  mean batch losses " + " ".join(f"{loss:.3f}" for loss in losses))
    if options.check:
        return
    never = run(problem, start, "corrected", reset="never")
    records["corrected"].update(
        {
            name.replace("iterative.", "iterativeNever."): value
            for name, value in never.items()
            if name.startswith("iterative.")
        }
    )
    save("problem", {**problem, **{f"param.{name}": value for name, value in start.items()}})
    for mode, record in records.items():
        save(mode, record)
    save("variants", variants(SEED + 1))
    with open(os.path.join(HERE, "oracles.json"), "w", encoding="utf-8", newline="\n") as file:
        json.dump(oracles(), file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
