"""Literal PyTorch form of the LoginMEA forward pass.

Paper: "LoginMEA: Local-to-Global Interaction Network for Multi-Modal Entity Alignment", ECAI 2024,
arXiv 2407.19625: local step = entity-specific modality weights and low-rank multi-modal fusion;
global step = relation reflection graph attention. Every formula is that of the released code
(sutaoyu/LoginMEA, commit 888bdd1); the paper's equation numbers were not verified.
"""

import torch
import torch.nn.functional as F

from golden_problem import EARLY_ORDER, LAYERS, MODALITIES, R0, SCORE_ORDER

NORMALIZE_EPS = 1e-12


def unit(x):
    """Rows divided by max(length, 1e-12)."""
    return F.normalize(x, dim=-1, eps=NORMALIZE_EPS)


# ---- graph structure ----
def ordered_pairs(triples):
    """Pairs (i, j) joined by some line in either direction, sorted by (i, j), with the set of
    directed relations.

    Pair (h, t) carries the shifted id r + 1, pair (t, h) its inverse r + 1 + R0. A line h = t gives
    the pair (h, h) both ids. Returns pairs, the distinct sets (numbered by first appearance), and
    the set of each pair.
    """
    carried = {}
    for head, relation, tail in triples:
        carried.setdefault((head, tail), set()).add(relation + 1)
        carried.setdefault((tail, head), set()).add(relation + 1 + R0)
    pairs = sorted(carried)
    sets, pair_set = {}, []
    for pair in pairs:
        pair_set.append(sets.setdefault(tuple(sorted(carried[pair])), len(sets)))
    return pairs, list(sets), pair_set


def neighbourhood_mean(entity, pairs):
    """s_i = mean of e over {i} and the neighbours of i, each once (a line h = t adds nothing)."""
    n = len(entity)
    pattern = torch.eye(n, dtype=entity.dtype)
    pattern[pairs[:, 0], pairs[:, 1]] = 1
    return (pattern / pattern.sum(1, keepdim=True)) @ entity


def set_vectors(relation, sets):
    """r = normalise(mean of rho over the set), one row per distinct set."""
    return unit(torch.stack([relation[list(ids)].mean(0) for ids in sets]))


# ---- global step: relation reflection graph attention ----
def pair_softmax(logits, rows, n):
    """Soft-max over the pairs of a row; rows without pairs have no entries."""
    top = torch.full((n,), -torch.inf, dtype=logits.dtype).scatter_reduce(0, rows, logits, "amax")
    weights = torch.exp(logits - top[rows].detach())
    return weights / torch.zeros(n, dtype=logits.dtype).index_add(0, rows, weights)[rows]


def reflection_layer(h, pairs, r, kernel):
    """h_i' = tanh(sum_j a_ij (h_j - 2 (h_j . r_ij) r_ij)), a_ij = softmax_j(r_ij . k). r [E, d] are
    unit rows."""
    rows, neighbours = pairs[:, 0], pairs[:, 1]
    logits = r @ kernel
    attention = pair_softmax(logits, rows, len(h))
    sender = h[neighbours]
    message = sender - 2 * (sender * r).sum(1, keepdim=True) * r
    total = torch.zeros_like(h).index_add(0, rows, attention[:, None] * message)
    return torch.tanh(total), attention, logits


def propagate(h, pairs, r, p, encoder):
    """States after each layer and the attention of each layer; h is the already tanh-ed input."""
    states, attentions, logits = [h], [], []
    for layer in range(LAYERS):
        h, attention, logit = reflection_layer(h, pairs, r, p[f"{encoder}.kernel.layer{layer}"])
        states.append(h)
        attentions.append(attention)
        logits.append(logit)
    return states, attentions, logits


# ---- local step: modality weights and low-rank fusion ----
def modality_weights(z, query, available):
    """score_im = q . tanh(z_im); alpha_i = soft-max over the available modalities, 0 for the
    others and where there is none.

    z: list of [N, d] in the column order; available [N, M] 0/1.
    """
    scores = torch.stack([torch.tanh(x) @ query for x in z], dim=1)
    bare = (available == 0).all(1, keepdim=True)
    lowered = scores.masked_fill(available == 0, -torch.inf).masked_fill(bare, 0)
    return scores, torch.softmax(lowered, dim=1) * available


def low_rank_fusion(u, factors, rank_weight, bias):
    """f_i = b + sum_k c_k prod_m (u_im W_m^(k)); u list of [N, d + 1], factors list of [K, d + 1,
    d]."""
    product = torch.stack([torch.einsum("ni,kid->knd", x, w) for x, w in zip(u, factors)]).prod(0)
    return bias + torch.einsum("k,knd->nd", rank_weight, product), product


def lifted(z, alpha):
    """u = [1 ; alpha * z / |z|]."""
    return torch.cat([torch.ones(len(z), 1, dtype=z.dtype), alpha[:, None] * unit(z)], dim=1)


def forward(p, inputs, modalities=MODALITIES):
    """One pass over all entities. Returns every named intermediate.

    A modality that is absent from the whole run (not in `modalities`) has no column in alpha, no
    factor in the fusion and no block in the early feature; its global scalar stays in the soft-max
    of the early weights.
    """
    out = {}
    columns = [m for m in SCORE_ORDER if m in modalities]
    available = inputs["available"][:, [SCORE_ORDER.index(m) for m in columns]]
    z = {m: inputs[f"features.{m}"] @ p[f"{m}.weight"] + p[f"{m}.bias"] for m in columns}
    out["score"], out["alpha"] = modality_weights(
        [z[m] for m in columns], p["modalityQuery"], available
    )
    order = [m for m in MODALITIES if m in modalities]
    u = [lifted(z[m], out["alpha"][:, columns.index(m)]) for m in order]
    factors = [p[f"fusion.factor.{m}"] for m in order]
    out["fused"], out["fusionProduct"] = low_rank_fusion(
        u, factors, p["fusion.rankWeight"], p["fusion.bias"]
    )
    out["earlyWeight"] = torch.softmax(p["earlyWeights"], dim=0)
    early = [
        out["earlyWeight"][k] * unit(z[m]) * available[:, columns.index(m), None]
        for k, m in enumerate(EARLY_ORDER)
        if m in modalities
    ]
    out["early"] = torch.cat(early, dim=1)

    pairs, pair_set = inputs["pairs"], inputs["pairSet"]
    out["neighbourhood"] = neighbourhood_mean(p["entity"], pairs)
    out["setVector"] = set_vectors(p["relation"], inputs["sets"])
    r = out["setVector"][pair_set]
    starts = {"structure": out["neighbourhood"], "joint": out["fused"]}
    states = {}
    for encoder, start in starts.items():
        states[encoder], attentions, logits = propagate(torch.tanh(start), pairs, r, p, encoder)
        for layer in range(LAYERS):
            out[f"{encoder}.logit.layer{layer}"] = logits[layer]
            out[f"{encoder}.attention.layer{layer}"] = attentions[layer]
        for layer, state in enumerate(states[encoder]):
            out[f"{encoder}.state{layer}"] = state
    structure = torch.cat(states["structure"], dim=1)
    joint = torch.cat([torch.tanh(out["early"])] + states["joint"][1:], dim=1)
    out["embedding"] = torch.cat([structure, joint], dim=1)
    if "proxy.vectors" in p:
        gate = (p["proxy.gate.weight"], p["proxy.gate.bias"])
        out["embedding"] = proxy_matching(out["embedding"], p["proxy.vectors"], *gate)
    for m in columns:
        out[f"z.{m}"] = z[m]
    return out


# ---- proxy matching: an option; a flag of the released code names it, its model lacks it ----
def proxy_matching(o, proxies, gate_weight, gate_bias):
    """beta = softmax(o_n p_n^T); o' = o - beta p; gate = sigmoid(o' W + b); gate * o + (1 - gate) *
    o'."""
    beta = torch.softmax(unit(o) @ unit(proxies).T, dim=1)
    rest = o - beta @ proxies
    gate = torch.sigmoid(rest @ gate_weight + gate_bias)
    return gate * o + (1 - gate) * rest
