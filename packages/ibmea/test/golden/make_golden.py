"""Independent PyTorch twin of the variational-bottleneck entity alignment model, and its golden files.

Everything here is written in the most literal form (the [E', 2d] concatenation is built, autograd does every
gradient, torch.optim.AdamW does the step) and evaluated in float64, so that a lean implementation can be compared
with it tensor by tensor. All randomness (noise, dropout, batch order) is written into the file.

Source of every equation below: our notes on the released code; the equations of the paper itself were not
verified. Where a sentence of the notes admits two readings, README.md ("Readings") names the one taken.

    python3 make_golden.py            # writes official.npz, single.npz and corrected.npz next to this script
    python3 make_golden.py --check    # self-checks only, writes nothing
"""

import argparse
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

SEED = 20240735
HERE = os.path.dirname(os.path.abspath(__file__))

# ---- sizes and hyper-parameters of the small problem ---------------------------------------------------------
PER_SIDE = 40
GRAPH_DIM, MODALITY_DIM, HIDDEN_DIM = 16, 8, 8
LAYERS, HEADS = 2, 2
RELATIONS_PER_SIDE, ATTRIBUTES, IMAGE_DIM = 10, 24, 12
SEED_LINKS, STEPS = 24, 10
DROPOUT = 0.45
LEAKY_SLOPE = 0.2
TAU = 0.1
MS_ALPHA, MS_BETA, MS_LAMBDA = 5.0, 40.0, 0.5
HYBRID_WEIGHT = 3.0
BETAS = {"graph": 0.001, "image": 0.001, "relation": 0.01, "attribute": 0.001}
CLIP = 0.1
LEARNING_RATE, WEIGHT_DECAY = 5e-3, 0.01
LAYER_NORM_EPS, NORMALIZE_EPS, CLIP_EPS = 1e-5, 1e-12, 1e-6

FEATURE_MODALITIES = ("image", "relation", "attribute")
MODALITIES = ("graph",) + FEATURE_MODALITIES
FUSION_SLOTS = ("image", "attribute", "relation", "graph", "name", "char")


# ---- the fixed small pair of graphs --------------------------------------------------------------------------
def make_problem(rng):
    """Two noisy copies of one random graph: 40 + 40 entities, dense ids, KG1 first.

    Contains one duplicate triple line, one triple with head = tail and one entity without triples (KG2, id 79).
    """
    n = PER_SIDE
    base = []
    for head in range(n - 1):
        for _ in range(2):
            tail = int(rng.integers(0, n - 1))
            if tail != head:
                base.append((head, int(rng.integers(0, RELATIONS_PER_SIDE)), tail))
    base = sorted(set(base))
    triples = []
    for side in (0, 1):
        for head, relation, tail in base:
            if rng.random() < 0.92:
                if side == 1 and rng.random() < 0.15:
                    relation = int(rng.integers(0, RELATIONS_PER_SIDE))
                triples.append((head + side * n, relation + side * RELATIONS_PER_SIDE, tail + side * n))
    triples.append(triples[3])  # duplicate line
    triples.append((7, 2, 7))  # head = tail
    isolated = 2 * n - 1
    triples = [t for t in triples if isolated not in (t[0], t[2])]
    triples = np.array(triples, dtype=np.int32)

    total = 2 * n
    sides = np.array([1] * n + [2] * n, dtype=np.int32)
    pairs = {(i, i) for i in range(total)}
    for head, _, tail in triples:
        pairs.add((int(head), int(tail)))
        pairs.add((int(tail), int(head)))
    edges = np.array(sorted(pairs), dtype=np.int32)

    relation = np.zeros((total, 2 * RELATIONS_PER_SIDE), dtype=np.float32)
    for head, r, tail in triples:  # every line counts, head = tail counts twice
        relation[head, r] += 1
        relation[tail, r] += 1
    shared = rng.random((n, ATTRIBUTES)) < 0.25
    attribute = np.concatenate([shared ^ (rng.random((n, ATTRIBUTES)) < 0.05) for _ in range(2)]).astype(np.float32)
    common = rng.standard_normal((n, IMAGE_DIM))
    image = np.concatenate([common + 0.5 * rng.standard_normal((n, IMAGE_DIM)) for _ in range(2)])
    image = (image / np.linalg.norm(image, axis=1, keepdims=True)).astype(np.float32)

    chosen = np.sort(rng.permutation(n)[:SEED_LINKS])
    seeds = np.stack([chosen, chosen + n], axis=1).astype(np.int32)
    batches = np.stack([rng.permutation(SEED_LINKS) for _ in range(STEPS)]).astype(np.int32)
    return {
        "triples": triples, "sides": sides, "edges": edges, "seeds": seeds, "batches": batches,
        "features.image": image, "features.relation": relation, "features.attribute": attribute,
    }


def make_parameters(rng, problem):
    """Random starts, deliberately NOT the method's starts (no constant ones/zeros), so that every path shows.

    Spread so that posterior scales fall on both sides of the clamp at 0.4 and of the ELU kink at 0.
    """
    n = len(problem["sides"])
    normal = lambda shape, mean=0.0, std=1.0: (mean + std * rng.standard_normal(shape)).astype(np.float32)
    parameters = {"entity": normal((n, GRAPH_DIM), std=0.6)}
    for encoder in ("graphMean", "graphScale"):
        for layer in range(LAYERS):
            parameters[f"{encoder}.layer{layer}.weight"] = normal((HEADS, GRAPH_DIM), mean=1.0, std=0.25)
            bound = 1.0 / math.sqrt(2 * GRAPH_DIM)
            parameters[f"{encoder}.layer{layer}.attention"] = (
                bound * (2 * rng.random((HEADS, 2 * GRAPH_DIM)) - 1) * 2).astype(np.float32)
    parameters["graphNorm.gain"] = normal((GRAPH_DIM,), mean=1.0, std=0.1)
    parameters["graphNorm.bias"] = normal((GRAPH_DIM,), std=0.1)
    log_variance_start = {"image": -1.8, "relation": 0.0, "attribute": -2.4}
    for m in FEATURE_MODALITIES:
        width = problem[f"features.{m}"].shape[1]
        scale = 1.0 if m == "image" else 0.5
        parameters[f"{m}.hidden.weight"] = normal((width, HIDDEN_DIM), std=scale / math.sqrt(HIDDEN_DIM))
        parameters[f"{m}.hidden.bias"] = normal((HIDDEN_DIM,), mean=0.2, std=0.1)
        parameters[f"{m}.mean.weight"] = normal((HIDDEN_DIM, MODALITY_DIM), std=1 / math.sqrt(HIDDEN_DIM))
        parameters[f"{m}.mean.bias"] = normal((MODALITY_DIM,), std=0.1)
        parameters[f"{m}.logVariance.weight"] = normal((HIDDEN_DIM, MODALITY_DIM), std=0.5 / math.sqrt(HIDDEN_DIM))
        parameters[f"{m}.logVariance.bias"] = normal((MODALITY_DIM,), mean=log_variance_start[m], std=0.6)
    parameters["fusion.weights"] = normal((len(FUSION_SLOTS),), mean=1.0, std=0.3)
    return parameters


def make_randomness(rng, n, steps, mode):
    """Noise and 0/1 keep masks. Graph noise is normal; the others are uniform [0,1) in mode official, else normal."""
    out = {}
    for k in range(steps):
        out[f"step{k}.noise.graph"] = rng.standard_normal((n, GRAPH_DIM)).astype(np.float32)
        for m in FEATURE_MODALITIES:
            shape = (n, MODALITY_DIM)
            draw = rng.random(shape, dtype=np.float32) if mode == "official" else rng.standard_normal(shape)
            out[f"step{k}.noise.{m}"] = draw.astype(np.float32)
        for encoder in ("graphMean", "graphScale"):
            out[f"step{k}.mask.{encoder}"] = (rng.random((n, GRAPH_DIM)) >= DROPOUT).astype(np.float32)
    return out


# ---- the model -----------------------------------------------------------------------------------------------
def graph_attention(x, edges, weight, attention):
    """One diagonal multi-head layer, averaged over heads.

    h = x * w_k;  c_ij = exp(-LeakyReLU_0.2(a_k . [h_i ; h_j]));  out_i = sum_j c_ij h_j / sum_j c_ij.
    """
    rows, neighbours = edges[:, 0], edges[:, 1]
    heads = []
    for k in range(weight.shape[0]):
        h = x * weight[k]
        logits = torch.cat([h[rows], h[neighbours]], dim=1) @ attention[k]
        c = torch.exp(-F.leaky_relu(logits, LEAKY_SLOPE))
        numerator = torch.zeros_like(h).index_add(0, rows, c[:, None] * h[neighbours])
        denominator = torch.zeros(len(h), dtype=h.dtype).index_add(0, rows, c)
        heads.append(numerator / denominator[:, None])
    return torch.stack(heads).mean(0)


def graph_encoder(p, name, x, edges, mask):
    """Dropout on the first input only, ELU between the layers, nothing after the last."""
    x = x * mask / (1 - DROPOUT)
    for layer in range(LAYERS):
        x = graph_attention(x, edges, p[f"{name}.layer{layer}.weight"], p[f"{name}.layer{layer}.attention"])
        if layer + 1 < LAYERS:
            x = F.elu(x)
    return x


def forward(p, inputs, randomness, mode):
    """One pass over all entities. Returns mean, scale and sample per modality, and the hybrid rows."""
    mean, scale, sample = {}, {}, {}
    edges = inputs["edges"]
    mu = graph_encoder(p, "graphMean", p["entity"], edges, randomness["mask.graphMean"])
    mean["graph"] = F.layer_norm(mu, (GRAPH_DIM,), p["graphNorm.gain"], p["graphNorm.bias"], LAYER_NORM_EPS)
    raw = graph_encoder(p, "graphScale", p["entity"], edges, randomness["mask.graphScale"])
    scale["graph"] = F.elu(raw) if mode == "official" else F.softplus(raw) + 1e-4
    for m in FEATURE_MODALITIES:
        hidden = torch.relu(inputs[f"features.{m}"] @ p[f"{m}.hidden.weight"] + p[f"{m}.hidden.bias"])
        mean[m] = hidden @ p[f"{m}.mean.weight"] + p[f"{m}.mean.bias"]
        scale[m] = torch.exp((hidden @ p[f"{m}.logVariance.weight"] + p[f"{m}.logVariance.bias"]) / 2)
    for m in MODALITIES:
        sample[m] = mean[m] + randomness[f"noise.{m}"] * scale[m]
    share = torch.softmax(p["fusion.weights"], dim=0)
    hybrid = torch.cat([share[slot] * F.normalize(sample[m], eps=NORMALIZE_EPS)
                        for slot, m in enumerate(FUSION_SLOTS) if m in sample], dim=1)
    return {"mean": mean, "scale": scale, "sample": sample, "hybrid": hybrid}


# ---- the losses ----------------------------------------------------------------------------------------------
def info_nce(z, left, right, mode):
    """Cosine, in-batch negatives. Official: left to right only. Corrected: mean of the two directions."""
    a, b = F.normalize(z[left], eps=NORMALIZE_EPS), F.normalize(z[right], eps=NORMALIZE_EPS)
    logits = a @ b.T / TAU
    target = torch.arange(len(left))
    forward_loss = F.cross_entropy(logits, target)
    return forward_loss if mode == "official" else (forward_loss + F.cross_entropy(logits.T, target)) / 2


def official_deviation(sigma):
    """s = exp(0.1 + 0.9 softplus(min(sigma, 0.4)))."""
    return torch.exp(0.1 + 0.9 * F.softplus(torch.clamp(sigma, max=0.4)))


def kl(mu, sigma, mode):
    """Sum over dimensions, mean over all entities.

    Official: ln(s0/s) + (s^2 + mu^2)/(2 s0^2) - 1/2 with the clamped deviations, s0 = that of the clamped prior.
    Corrected: (sigma^2 + mu^2 - 1)/2 - ln sigma.
    """
    if mode == "official":
        s = official_deviation(sigma)
        s0 = official_deviation(torch.ones((), dtype=mu.dtype))
        per_dimension = torch.log(s0 / s) + (s ** 2 + mu ** 2) / (2 * s0 ** 2) - 0.5
    else:
        per_dimension = (sigma ** 2 + mu ** 2 - 1) / 2 - torch.log(sigma)
    return per_dimension.sum(1).mean()


def multi_similarity(hybrid, left, right):
    """Mean over the 2B anchors [left ; right] of
    ln(1 + e^(-alpha (S_p - lambda)))/alpha + ln(1 + sum_n e^(beta (S_n - lambda)))/beta,
    one positive (the counterpart), all other 2B - 2 rows of both graphs negative."""
    v = F.normalize(torch.cat([hybrid[left], hybrid[right]]), eps=NORMALIZE_EPS)
    similarity = v @ v.T
    b = len(left)
    anchors = torch.arange(2 * b)
    positive = (anchors + b) % (2 * b)
    negative_mask = torch.ones(2 * b, 2 * b, dtype=torch.bool)
    negative_mask[anchors, anchors] = False
    negative_mask[anchors, positive] = False
    positive_part = torch.log(1 + torch.exp(-MS_ALPHA * (similarity[anchors, positive] - MS_LAMBDA))) / MS_ALPHA
    exponentials = torch.exp(MS_BETA * (similarity - MS_LAMBDA)) * negative_mask
    negative_part = torch.log(1 + exponentials.sum(1)) / MS_BETA
    return (positive_part + negative_part).mean()


def batch_loss(out, pairs, mode, with_kl):
    """Sum over modalities of InfoNCE + beta KL, plus w_J times the multi-similarity loss of the hybrid rows."""
    left, right = pairs[:, 0], pairs[:, 1]
    parts = {"multiSimilarity": multi_similarity(out["hybrid"], left, right)}
    total = HYBRID_WEIGHT * parts["multiSimilarity"]
    for m in MODALITIES:
        parts[f"infoNce.{m}"] = info_nce(out["sample"][m], left, right, mode)
        total = total + parts[f"infoNce.{m}"]
        divergence = kl(out["mean"][m], out["scale"][m], mode)
        parts[f"kl.{m}"] = divergence if with_kl else torch.zeros_like(divergence)
        total = total + BETAS[m] * parts[f"kl.{m}"]
    parts["total"] = total
    return parts


def epoch_batches(problem, k, batch_size):
    order = problem["batches"][k]
    return [torch.tensor(problem["seeds"][order[i:i + batch_size]].astype(np.int64))
            for i in range(0, len(order), batch_size)]


def epoch_losses(p, inputs, randomness, batches, mode):
    """One forward pass and the losses of all batches. Mode corrected counts the KL once: in the first batch."""
    out = forward(p, inputs, randomness, mode)
    return out, [batch_loss(out, pairs, mode, with_kl=(mode == "official" or i == 0))
                 for i, pairs in enumerate(batches)]


def clip_(gradients, limit):
    """2-norm over all parameters together; factor min(1, limit / (norm + 1e-6)). Returns the norm before."""
    norm = torch.sqrt(sum((g ** 2).sum() for g in gradients.values()))
    factor = torch.clamp(limit / (norm + CLIP_EPS), max=1.0)
    for name in gradients:
        gradients[name] = gradients[name] * factor
    return norm


# ---- running and recording -----------------------------------------------------------------------------------
def as_double(array):
    return torch.tensor(np.asarray(array, dtype=np.float64))


def prepare(problem, randomness):
    inputs = {f"features.{m}": as_double(problem[f"features.{m}"]) for m in FEATURE_MODALITIES}
    inputs["edges"] = torch.tensor(problem["edges"].astype(np.int64))
    steps = 1 + max(int(key.split(".")[0][4:]) for key in randomness)
    per_step = [{key.split(".", 1)[1]: as_double(value) for key, value in randomness.items()
                 if key.startswith(f"step{k}.")} for k in range(steps)]
    return inputs, per_step


def run(problem, start, randomness, mode, batch_size, clip):
    """Train `steps` epochs; return the dict that goes into the npz file."""
    record = dict(problem)
    record.update({f"param.{name}": value for name, value in start.items()})
    record.update(randomness)
    record["batchSize"] = np.array([batch_size], dtype=np.int32)
    inputs, per_step = prepare(problem, randomness)
    record["batches"] = problem["batches"][:len(per_step)]
    p = {name: torch.nn.Parameter(as_double(value)) for name, value in start.items()}
    optimizer = torch.optim.AdamW(p.values(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8,
                                  weight_decay=WEIGHT_DECAY)
    tensor = lambda value: value.detach().numpy().astype(np.float32)
    for k, noise in enumerate(per_step):
        batches = epoch_batches(problem, k, batch_size)
        out, losses = epoch_losses(p, inputs, noise, batches, mode)
        plain = {name: torch.zeros_like(value) for name, value in p.items()}
        clipped = {name: torch.zeros_like(value) for name, value in p.items()}
        norms = []
        for i, parts in enumerate(losses):
            gradients = torch.autograd.grad(parts["total"], list(p.values()), retain_graph=True)
            for name, gradient in zip(p, gradients):
                plain[name] = plain[name] + gradient
                clipped[name] = clipped[name] + gradient
            last = i + 1 == len(losses)
            if clip and (mode == "official" or last):
                norms.append(clip_(clipped, CLIP).item())
            else:
                norms.append(math.sqrt(sum((g ** 2).sum().item() for g in clipped.values())))
        for key in losses[0]:
            record[f"step{k}.loss.{key}"] = np.array([parts[key].item() for parts in losses], dtype=np.float64)
        record[f"step{k}.accumulatedNorm"] = np.array(norms, dtype=np.float64)
        if k == 0:
            for kind in ("mean", "scale", "sample"):
                for m in MODALITIES:
                    record[f"step0.out.{kind}.{m}"] = tensor(out[kind][m])
            record["step0.out.hybrid"] = tensor(out["hybrid"])
            for name in p:
                record[f"step0.gradient.{name}"] = tensor(plain[name])
                record[f"step0.clippedGradient.{name}"] = tensor(clipped[name])
        for name, value in p.items():
            value.grad = clipped[name]
        optimizer.step()
        if k in (0, len(per_step) - 1):
            for name, value in p.items():
                record[f"step{k}.param.{name}"] = tensor(value)
    return record


# ---- self-checks ---------------------------------------------------------------------------------------------
def check_gradients(problem, start, randomness, mode, batch_size, entries=5, h=1e-6):
    """Central differences of the summed epoch loss at a few entries of every parameter, float64."""
    rng = np.random.default_rng(1)
    inputs, per_step = prepare(problem, randomness)
    batches = epoch_batches(problem, 0, batch_size)

    def total(p):
        return sum(parts["total"] for parts in epoch_losses(p, inputs, per_step[0], batches, mode)[1])

    p = {name: as_double(value).requires_grad_() for name, value in start.items()}
    gradients = dict(zip(p, torch.autograd.grad(total(p), list(p.values()))))
    worst = 0.0
    with torch.no_grad():
        for name, value in p.items():
            flat = value.view(-1)
            for index in rng.choice(len(flat), min(entries, len(flat)), replace=False):
                old = flat[index].item()
                flat[index] = old + h
                high = total(p).item()
                flat[index] = old - h
                low = total(p).item()
                flat[index] = old
                numeric, exact = (high - low) / (2 * h), gradients[name].view(-1)[index].item()
                error = abs(numeric - exact) / max(1e-3, abs(exact))
                worst = max(worst, error)
                assert error < 1e-4, (mode, name, int(index), numeric, exact)
    return worst


def check_closed_forms(problem, start):
    """Constants of the released code, and simple invariants."""
    one = torch.ones((), dtype=torch.float64)
    assert abs(official_deviation(one).item() - 2.5136) < 5e-5
    zero = torch.zeros(1, 1, dtype=torch.float64)
    assert abs(kl(zero, zero + 0.7, "official").item()) < 1e-12
    assert abs(kl(zero, zero, "official").item() - 0.03447) < 2e-5
    generator = torch.Generator().manual_seed(3)
    draws = torch.randn(2_000_000, generator=generator, dtype=torch.float64)
    mu, sigma = 0.7, 0.4
    z = mu + sigma * draws
    log_ratio = (-draws ** 2 / 2 - math.log(sigma)) + z ** 2 / 2
    assert abs(log_ratio.mean().item() - kl(zero + mu, zero + sigma, "corrected").item()) < 3e-3
    edges = torch.tensor(problem["edges"].astype(np.int64))
    x = torch.ones(len(problem["sides"]), GRAPH_DIM, dtype=torch.float64)
    weight = torch.ones(HEADS, GRAPH_DIM, dtype=torch.float64)
    attention = as_double(start["graphMean.layer0.attention"])
    assert torch.allclose(graph_attention(x, edges, weight, attention), x)  # rows sum to 1
    entity = as_double(start["entity"])
    w = as_double(start["graphMean.layer0.weight"])
    isolated = len(entity) - 1
    assert torch.allclose(graph_attention(entity, edges, w, attention)[isolated], entity[isolated] * w.mean(0))
    lines = {tuple(t) for t in problem["triples"].tolist()}
    assert len(lines) == len(problem["triples"]) - 1 and any(h == t for h, _, t in lines)
    assert not np.any(problem["triples"][:, [0, 2]] == isolated)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="self-checks only")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    problem = make_problem(rng)
    start = make_parameters(rng, problem)
    n = len(problem["sides"])
    half = SEED_LINKS // 2
    official_noise = make_randomness(np.random.default_rng(SEED + 1), n, STEPS, "official")
    corrected_noise = make_randomness(np.random.default_rng(SEED + 2), n, STEPS, "corrected")
    single_noise = {key: value for key, value in official_noise.items()
                    if int(key.split(".")[0][4:]) < 3}
    print(f"triples {len(problem['triples'])}, pattern pairs {len(problem['edges'])}")
    check_closed_forms(problem, start)
    for mode, noise, batch in (("official", official_noise, half), ("official", single_noise, SEED_LINKS),
                               ("corrected", corrected_noise, half)):
        print(f"central differences, {mode}, batch {batch}: worst relative error "
              f"{check_gradients(problem, start, noise, mode, batch):.1e}")
    if options.check:
        return
    for name, noise, mode, batch, clip in (
            ("official", official_noise, "official", half, True),
            ("single", single_noise, "official", SEED_LINKS, False),
            ("corrected", corrected_noise, "corrected", half, True)):
        record = run(problem, start, noise, mode, batch, clip)
        path = os.path.join(HERE, f"{name}.npz")
        np.savez(path, **record)
        last = len(record["batches"]) - 1
        clamped = {m: round(float((record[f"step0.out.scale.{m}"] > 0.4).mean()), 2) for m in MODALITIES}
        print(f"{name}.npz {os.path.getsize(path)} bytes; total step 0 {record['step0.loss.total']}, step {last} "
              f"{record[f'step{last}.loss.total']}; norms {record['step0.accumulatedNorm']}; "
              f"share of scales above 0.4 {clamped}")


if __name__ == "__main__":
    main()
