#!/usr/bin/env python3
"""Lean PyTorch form of LoginMEA without images, for quality and timing on a CPU.

Same mathematics as the literal form (see ../../test/golden): linear encoders of relation counts and attributes, modality
weights per entity, low-rank fusion, early feature, two encoders of relation reflection attention over shared relation
embeddings, InfoNCE on their joined output, one AdamW step per epoch. Rearranged so that no [E, d], no [K, N, d] and no
B x B tensor is held, that entities with the same features share all products of one modality alone, and that the early
feature and the joined output exist for the seed entities only.

Source of the equations: the released code of LoginMEA; the equations of the paper were not verified.

    python3 lean_loginmea.py --data FOLDER [--seeds FILE] --epochs 4 --threads 2 [--evaluate-every 20]

Prints one line per epoch and, as its last line, one JSON object.
"""

import argparse
import ctypes
import json
import math
import os
import platform
import resource
import statistics
import sys
import time
import warnings


def keep_freed_memory():
    """glibc only: serve large tensors from the heap and do not give it back after each free, as jemalloc or tcmalloc
    would. Otherwise every 36 MB temporary is mapped and page-faulted anew. Switch off with --allocator system."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        m_trim_threshold, m_mmap_max = -1, -4
        return bool(libc.mallopt(m_mmap_max, 0) and libc.mallopt(m_trim_threshold, 2 ** 31 - 1))
    except (OSError, AttributeError):
        return False


ALLOCATOR = "reuse" if "system" not in sys.argv and keep_freed_memory() else "system"

import numpy as np  # noqa: E402
import torch  # noqa: E402

from alignment_files import Sparse, distinct_rows, read_alignment, split  # noqa: E402
from lean_evaluation import csls_metrics  # noqa: E402
from lean_layers import (  # noqa: E402
    Constant,
    ConstantProduct,
    InfoNce,
    LowRankFusion,
    ReflectionLayer,
    RelationPattern,
    unit,
)

warnings.filterwarnings("ignore", message=".*[Ss]parse.*")

EARLY_ORDER = ("image", "relation", "attribute")
SIZE, RANK, LAYERS, TEMPERATURE, WEIGHT_DECAY, CSLS_K, SEED_RATE = 300, 8, 2, 0.1, 0.01, 3, 0.3


def neighbourhood(data):
    """Row-stochastic [N, N]: entity i and its neighbours, each once."""
    total = len(data.names)
    own = np.arange(total)
    cells = np.unique(np.concatenate([data.pairs[:, 0] * total + data.pairs[:, 1], own * total + own]))
    rows = cells // total
    values = (1 / np.bincount(rows))[rows].astype(np.float32)
    return Sparse(rows, cells % total, values, (total, total))


def uniform(bound, *shape):
    return torch.empty(*shape).uniform_(-bound, bound)


class LeanLoginmea(torch.nn.Module):
    """Parameters and forward pass."""

    def __init__(self, data, structure_only=False, size=SIZE, rank=RANK):
        super().__init__()
        total, sets = len(data.names), data.sets.shape[0]
        self.graph = RelationPattern(data.pairs, data.pair_sets, (total, sets))
        self.averaging, self.mean = Constant(data.sets), Constant(neighbourhood(data))
        distinct = {} if structure_only else {m: distinct_rows(x) for m, x in data.features.items()}
        self.features = {m: Constant(rows) for m, (rows, _) in distinct.items()}
        self.places = {m: torch.from_numpy(places) for m, (_, places) in distinct.items()}
        self.modalities = [m for m in EARLY_ORDER if m in self.features]
        self.encoders = ["structure"] + (["joint"] if self.modalities else [])
        relations = data.sets.shape[1]
        values = {"entity": uniform(math.sqrt(6 / (total + size)), total, size),
                  "relation": uniform(math.sqrt(6 / (relations + size)), relations, size)}
        for encoder in self.encoders:
            for layer in range(LAYERS):
                values[f"{encoder}.kernel.layer{layer}"] = uniform(math.sqrt(6 / (1 + size)), size)
        for m in self.modalities:
            columns = self.features[m].shape[1]
            values[f"{m}.weight"] = uniform(1 / math.sqrt(columns), columns, size)
            values[f"{m}.bias"] = uniform(1 / math.sqrt(columns), size)
            deviation = math.sqrt(2 / ((size + 1) * size + rank * size))
            values[f"fusion.factor.{m}"] = deviation * torch.randn(rank, size + 1, size)
        if self.modalities:
            values["modalityQuery"] = uniform(1 / math.sqrt(size), size)
            values["fusion.rankWeight"] = math.sqrt(2 / (1 + rank)) * torch.randn(rank)
            values["fusion.bias"] = torch.zeros(size)
            values["earlyWeights"] = torch.ones(len(EARLY_ORDER))
        self.table = {name: torch.nn.Parameter(value) for name, value in values.items()}
        for name, value in self.table.items():
            self.register_parameter(name.replace(".", "_"), value)

    def states(self, encoder, start, r):
        """Start and result of every layer."""
        h = [torch.tanh(start)]
        for layer in range(LAYERS):
            h.append(ReflectionLayer.apply(h[-1], r, self.table[f"{encoder}.kernel.layer{layer}"], self.graph))
        return h

    def tables(self, modality, z):
        """z / |z| of the distinct rows times all ranks of the factor, [U, K d]; or, of few features, x (E W) + b W and
        1 / |z|."""
        t, features = self.table, self.features[modality]
        factor = t[f"fusion.factor.{modality}"]
        flat = factor[:, 1:].transpose(0, 1).reshape(factor.shape[2], -1)
        if 2 * features.shape[1] > features.shape[0]:
            return unit(z) @ flat, None
        product = ConstantProduct.apply(t[f"{modality}.weight"] @ flat, features)
        return product + t[f"{modality}.bias"] @ flat, 1 / z.norm(dim=1).clamp(min=1e-12)

    def local(self, rows):
        """Fused vectors of all entities, early feature of the given rows."""
        t, places = self.table, [self.places[m] for m in self.modalities]
        z = [ConstantProduct.apply(t[f"{m}.weight"], self.features[m]) + t[f"{m}.bias"] for m in self.modalities]
        scores = [(torch.tanh(x) @ t["modalityQuery"]).index_select(0, at) for x, at in zip(z, places)]
        alpha = torch.softmax(torch.stack(scores, dim=1), dim=1)
        directions = [unit(x) for x in z]
        tables, constants, scaled = [], [], []
        for k, m in enumerate(self.modalities):
            table, inverse = self.tables(m, z[k])
            tables.append(table)
            constants.append(t[f"fusion.factor.{m}"][:, 0].flatten())
            scaled.append(alpha[:, k] if inverse is None else alpha[:, k] * inverse.index_select(0, places[k]))
        fused = LowRankFusion.apply(t["fusion.rankWeight"], t["fusion.bias"], torch.stack(scaled, dim=1), places,
                                    *tables, *constants)
        shares = torch.softmax(t["earlyWeights"], 0)
        early = [shares[EARLY_ORDER.index(m)] * x.index_select(0, at.index_select(0, rows))
                 for m, x, at in zip(self.modalities, directions, places)]
        return fused, early

    def forward(self, rows):
        """Final embeddings of the given entities, at length 1."""
        t = self.table
        r = unit(ConstantProduct.apply(t["relation"], self.averaging))
        blocks = self.states("structure", ConstantProduct.apply(t["entity"], self.mean), r)
        early = []
        if self.modalities:
            fused, early = self.local(rows)
            blocks += self.states("joint", fused, r)[1:]
        chosen = [block.index_select(0, rows) for block in blocks]
        return unit(torch.cat(chosen[:LAYERS + 1] + [torch.tanh(x) for x in early] + chosen[LAYERS + 1:], dim=1))


def train_epoch(model, optimizer, seeds, order, batch):
    """One forward pass; the mean losses of the batches add up; one step. Returns the losses of the batches."""
    optimizer.zero_grad(set_to_none=True)
    o = model(torch.cat([seeds[:, 0], seeds[:, 1]]))
    losses = []
    for chosen in order.split(batch):
        left, right = o, o[len(seeds):]
        if len(chosen) < len(seeds):
            left, right = left.index_select(0, chosen), right.index_select(0, chosen)
        losses.append(InfoNce.apply(left[:len(chosen)], right, TEMPERATURE))
    torch.stack(losses).sum().backward()
    optimizer.step()
    return [loss.item() for loss in losses]


@torch.no_grad()
def evaluate(model, test):
    model.eval()
    o = model(torch.cat([test[:, 0], test[:, 1]]))
    model.train()
    return csls_metrics(o[:len(test)], o[len(test):], CSLS_K)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder with ent_ids_1/2, triples_1/2, ... (plain or .gz)")
    parser.add_argument("--seeds", help="file with two columns of entity ids; default: 30 %% of the links by SHA-256")
    parser.add_argument("--seed-rate", type=float, default=SEED_RATE)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2023)
    parser.add_argument("--seed-batch", type=int, help="default: all seeds")
    parser.add_argument("--structure-only", action="store_true")
    parser.add_argument("--evaluate-every", type=int, default=0, help="0: after the last epoch; -1: never")
    parser.add_argument("--allocator", choices=("reuse", "system"), default="reuse", help="see keep_freed_memory")
    parser.add_argument("--json", help="also write the final JSON object to this file, whole")
    parser.add_argument("--brief", action="store_true", help="leave the lists of epochs out of the last line")
    return parser.parse_args()


def train(model, options, seeds, test):
    """Epochs with their cost, evaluations, and the peak of memory before the first evaluation."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=WEIGHT_DECAY, fused=True)
    epochs, evaluations, peak = [], [], 0
    for epoch in range(options.epochs):
        wall, cpu = time.perf_counter(), time.process_time()
        losses = train_epoch(model, optimizer, seeds, torch.randperm(len(seeds)), options.seed_batch or len(seeds))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if not all(map(math.isfinite, losses)):
            raise FloatingPointError(f"epoch {epoch}: {losses}")
        epochs.append({"epoch": epoch, "wallSeconds": wall, "cpuSeconds": cpu, "losses": losses})
        print(f"epoch {epoch} wall {wall:.3f} s cpu {cpu:.3f} s loss {sum(losses) / len(losses):.4f}", flush=True)
        if not evaluations:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        every, after = options.evaluate_every, epoch + 1
        if every >= 0 and (after == options.epochs or (every > 0 and after % every == 0)):
            wall, cpu = time.perf_counter(), time.process_time()
            metrics = evaluate(model, test)
            evaluations.append({"epochs": after, "wallSeconds": time.perf_counter() - wall,
                                "cpuSeconds": time.process_time() - cpu, **metrics})
            print("evaluation", json.dumps(evaluations[-1]), flush=True)
    return {"epochs": epochs, "evaluations": evaluations, "trainingPeakRssBytes": peak}


def summary(result):
    """The result without its lists: Hits@1 of KG1 -> KG2 by number of epochs, all metrics of the last evaluation."""
    evaluations = result["evaluations"]
    last = evaluations[-1] if evaluations else {}
    kept = {name: value for name, value in result.items() if name not in ("epochs", "evaluations")}
    return {**kept, "epochs": len(result["epochs"]),
            "hits@1": {str(e["epochs"]): round(e["l2r"]["hits@1"], 4) for e in evaluations},
            "last": {side: {name: round(value, 4) for name, value in last[side].items()}
                     for side in ("l2r", "r2l") if last}}


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    started = time.perf_counter()
    data = read_alignment(options.data)
    seeds, test = (torch.from_numpy(x) for x in split(data, options.seeds, options.seed_rate))
    model = LeanLoginmea(data, options.structure_only)
    model.train()
    parameters = sum(p.numel() for p in model.parameters())
    seconds = time.perf_counter() - started
    print(f"{len(data.names)} entities, {data.triples} triples, {len(data.pairs)} pairs, {data.sets.shape[0]} sets, "
          f"{len(seeds)} seeds, {len(test)} test links, {parameters} parameters, read in {seconds:.1f} s", flush=True)
    found = train(model, options, seeds, test)
    steady = found["epochs"][1:] or found["epochs"]
    result = {
        "implementation": "lean PyTorch", "variant": "structure-only" if options.structure_only else "full",
        "data": os.path.basename(os.path.normpath(options.data)), "entities": len(data.names), "seeds": len(seeds),
        "testLinks": len(test), "modalities": model.modalities, "learningRate": options.lr, "seed": options.seed,
        "parameters": parameters, **found,
        "perEpoch": {name: statistics.median(epoch[name] for epoch in steady) for name in ("wallSeconds", "cpuSeconds")},
        "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "torch": torch.__version__,
        "numpy": np.__version__, "python": platform.python_version(), "threads": torch.get_num_threads(),
        "allocator": ALLOCATOR, "distinctRows": {m: x.shape[0] for m, x in model.features.items()},
    }
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            json.dump(result, stream, indent=1)
    print(json.dumps(summary(result) if options.brief else result))


if __name__ == "__main__":
    main()
