"""Joins the driver's lines and PyTorch's times: `python3 report.py DRIVER TORCH NVCC FOLDER`.

Writes FOLDER/gpu-check.json and FOLDER/gpu-check.md; a missing file of PyTorch leaves its columns
empty.
"""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path


def read_lines(path):
    """The cases of the driver, and the library of the dense products."""
    found = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    cases = [line for line in found if "name" in line]
    products = next((line["products"] for line in found if "products" in line), "unknown")
    return cases, products


def gpu_of_machine():
    """Name and driver of the first GPU."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    name, _, driver = found.stdout.split("\n")[0].partition(",")
    return {"gpu": name.strip() or "GPU unknown", "driver": driver.strip() or "unknown"}


def read_torch(path):
    file = Path(path)
    if not file.exists() or file.stat().st_size == 0:
        return {"machine": {}, "times": {}}
    return json.loads(file.read_text(encoding="utf-8"))


def text_of(value, form):
    return "" if value is None else format(value, form)


def row_of(case, peer):
    ours, theirs = case["milliseconds"], peer.get("milliseconds")
    bandwidth = case.get("bytesPerSecond")
    cells = [
        case["name"],
        text_of(case["error"], ".1e") if case["ok"] else "FAILED",
        text_of(ours, ".3f"),
        text_of(None if bandwidth is None else bandwidth / 1e12, ".2f"),
        text_of(theirs, ".3f"),
        peer.get("form", ""),
        text_of(theirs / ours if theirs else None, ".1f"),
    ]
    return f"| {' | '.join(cells)} |"


def table_of(report):
    machine = report["machine"]
    timed = [case for case in report["cases"] if "milliseconds" in case]
    failed = [case["name"] for case in report["cases"] if not case["ok"]]
    products = "cuBLAS" if report["products"] == "cublas" else "a plain kernel, so do not compare"
    lines = [
        f"{machine['gpu']}, driver {machine['driver']}, "
        f"nvcc {machine['nvcc']}, PyTorch {machine.get('torch', 'not run')} "
        f"with CUDA {machine.get('cuda', 'unknown')}, {machine['date']}.",
        "",
        f"{len(report['cases'])} cases, {len(failed)} failed. Dense products of the attention",
        f"layer: {products}. Error: norm of the difference to float64 over its norm.",
        "Times are medians; what fits the cache stays in it. Ratio: PyTorch's time over ours.",
        "",
        "| kernel | error | ours, ms | TB/s | PyTorch, ms | PyTorch's form | ratio |",
        "|---|---:|---:|---:|---:|---|---:|",
    ]
    lines += [row_of(case, report["torch"].get(case["name"], {})) for case in timed]
    if failed:
        lines += ["", "Failed:", "", *[f"- {name}" for name in failed]]
    return "\n".join(lines) + "\n"


def main():
    driver, torch, nvcc, folder = sys.argv[1:]
    cases, products = read_lines(driver)
    peer = read_torch(torch)
    machine = {**gpu_of_machine(), "nvcc": nvcc, **peer["machine"]}
    machine["date"] = date.today().isoformat()
    report = {
        "machine": machine,
        "products": products,
        "cases": cases,
        "torch": peer["times"],
    }
    text = json.dumps(report, indent=2) + "\n"
    (Path(folder) / "gpu-check.json").write_text(text, encoding="utf-8")
    (Path(folder) / "gpu-check.md").write_text(table_of(report), encoding="utf-8")


if __name__ == "__main__":
    main()
