"""The fixed small pair of graphs, its features and all random starts of the LoginMEA golden files.

Conventions (all of them visible in the files, so that nothing has to be redrawn): entity ids 0..93
without gaps, but the two graphs interleave in blocks; relation ids are shifted by one, id 0 stays
unused, `r + R0` is the inverse of `r`; tables are [in, out] (a layer is x W + b).
"""

import math

import numpy as np

SEED = 20240765
SIZES = (48, 46)  # entities of KG1, KG2
LINKS, SEED_LINKS = 44, 24
RELATIONS_PER_SIDE, ATTRIBUTES, IMAGE_DIM = 8, 20, 10
TOP_RELATIONS, TOP_ATTRIBUTES = 14, 16  # below the number of names, so that the cut is visible
HIDDEN, RANK, LAYERS = 8, 4, 2
PROXIES = 5
STEPS, BATCH = 10, 13
R0 = 2 * RELATIONS_PER_SIDE + 1
RELATION_ROWS = 2 * R0
TOTAL = sum(SIZES)
ISOLATED = TOTAL - 1

MODALITIES = ("image", "attribute", "relation")  # the order v, a, r of the fusion's outer product
SCORE_ORDER = ("image", "relation", "attribute")  # columns of scores and alpha: v, r, a
EARLY_ORDER = ("image", "relation", "attribute")  # blocks of the early feature: v, r, a


def entity_ids():
    """KG1: 0..23 and 47..70; KG2: 24..46 and 71..93."""
    kg1 = list(range(0, 24)) + list(range(47, 71))
    kg2 = list(range(24, 47)) + list(range(71, 94))
    assert len(kg1) == SIZES[0] and len(kg2) == SIZES[1] and sorted(kg1 + kg2) == list(range(TOTAL))
    return kg1, kg2


def make_links(rng, kg1, kg2):
    """44 links between the sides; the isolated entity 93 is a test entity. Returns seeds [24,2],
    test [20,2]."""
    left = rng.permutation(kg1)[:LINKS]
    right = rng.permutation([e for e in kg2 if e != ISOLATED])[: LINKS - 1]
    right = np.concatenate([right, [ISOLATED]])
    links = np.stack([left, right], axis=1)
    return links[:SEED_LINKS].astype(np.int32), links[SEED_LINKS:].astype(np.int32)


def make_triples(rng, kg1, kg2, links):
    """Two noisy copies of one random graph. With a duplicate line, a line h = t, parallel and
    opposite relations."""
    base = set()
    for head in range(LINKS - 1):
        for _ in range(3):
            tail = int(rng.integers(0, LINKS - 1))
            if tail != head:
                base.add((head, int(rng.integers(0, RELATIONS_PER_SIDE)), tail))
    triples = []
    for side in (0, 1):
        for head, relation, tail in sorted(base):
            if rng.random() < 0.9:
                if rng.random() < 0.1:
                    relation = int(rng.integers(0, RELATIONS_PER_SIDE))
                triples.append(
                    (links[head][side], relation + side * RELATIONS_PER_SIDE, links[tail][side])
                )
        unlinked = [e for e in (kg1, kg2)[side] if e not in set(links[:, side].tolist())]
        for entity in unlinked:
            for _ in range(2):
                other = int(links[int(rng.integers(0, LINKS - 1))][side])
                relation = int(rng.integers(0, RELATIONS_PER_SIDE)) + side * RELATIONS_PER_SIDE
                triples.append((entity, relation, other))
        first = [t for t in triples if t[1] // RELATIONS_PER_SIDE == side][0]
        triples.append(first)  # a duplicate line
        triples.append(
            (first[2], (first[1] + 1) % RELATIONS_PER_SIDE + side * RELATIONS_PER_SIDE, first[0])
        )
        triples.append(
            (first[0], (first[1] + 2) % RELATIONS_PER_SIDE + side * RELATIONS_PER_SIDE, first[2])
        )
    loop = int(links[5][0])
    triples.append((loop, 3, loop))  # head = tail
    triples = [tuple(int(x) for x in t) for t in triples]
    triples.sort(
        key=lambda t: t[1] // RELATIONS_PER_SIDE
    )  # stable: the lines of KG1, then those of KG2
    assert all(ISOLATED not in (t[0], t[2]) for t in triples)
    return np.array(triples, dtype=np.int32)


def distinct(triples):
    """First occurrence of every line, order kept."""
    return np.array(list(dict.fromkeys(map(tuple, triples.tolist()))), dtype=np.int32)


def most_frequent(names, top):
    """The `top` most frequent names in order of frequency; ties: first seen first."""
    counts = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: -counts[name])[:top]  # sorted() is stable


def relation_bag(triples):
    """Raw counts of the most frequent relation ids: +1 at the head and +1 at the tail of every
    line."""
    chosen = most_frequent(triples[:, 1].tolist(), TOP_RELATIONS)
    column = {relation: k for k, relation in enumerate(chosen)}
    bag = np.zeros((TOTAL, len(chosen)), dtype=np.float32)
    for head, relation, tail in triples.tolist():
        if relation in column:
            bag[head, column[relation]] += 1
            bag[tail, column[relation]] += 1
    return bag, np.array(chosen, dtype=np.int32)


def attribute_bag(lines):
    """Binary. Frequency is the number of entities (lines) that carry the name."""
    names = [name for _, line in lines for name in dict.fromkeys(line)]
    chosen = most_frequent(names, TOP_ATTRIBUTES)
    column = {name: k for k, name in enumerate(chosen)}
    bag = np.zeros((TOTAL, len(chosen)), dtype=np.float32)
    for entity, line in lines:
        for name in line:
            if name in column:
                bag[entity, column[name]] = 1
    return bag, np.array(chosen, dtype=np.int32)


def fill_images(images, has_image, triples, noise, fallback, fill):
    """Fill the missing rows, then L2-normalise every row.

    normal: column mean + column (population) deviation * an independent normal draw for each
    missing entity.
    neighbours: mean over the neighbours with an image, a neighbour as often as triple lines join
    the two, in either direction; where no neighbour has one: one vector mean + deviation *
    fallback, shared by all of these.
    mask: zero rows stay zero.
    """
    filled = images.astype(np.float64).copy()
    known = filled[has_image == 1]
    mean, deviation = known.mean(0), known.std(0)
    missing = np.flatnonzero(has_image == 0)
    for k, entity in enumerate(missing):
        if fill == "normal":
            filled[entity] = mean + deviation * noise[k]
        elif fill == "neighbours":
            around = [t for h, _, t in triples.tolist() if h == entity and has_image[t]]
            around += [h for h, _, t in triples.tolist() if t == entity and has_image[h]]
            filled[entity] = filled[around].mean(0) if around else mean + deviation * fallback
    lengths = np.linalg.norm(filled, axis=1, keepdims=True)
    return (filled / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def make_problem(rng):
    """Everything that the modes share."""
    kg1, kg2 = entity_ids()
    seeds, test = make_links(rng, kg1, kg2)
    links = np.concatenate([seeds, test])
    triples = make_triples(rng, kg1, kg2, links)
    shared = rng.random((LINKS, ATTRIBUTES)) < 0.2
    common = rng.standard_normal((LINKS, IMAGE_DIM))
    images = rng.standard_normal((TOTAL, IMAGE_DIM))
    row_of = {int(e): k for k, pair in enumerate(links) for e in pair}
    attribute_lines = []
    for entity in kg1 + kg2:
        own = rng.random(ATTRIBUTES)
        k = row_of.get(entity)
        present = own < 0.2 if k is None else shared[k] ^ (own < 0.05)
        line = [int(a) for a in np.flatnonzero(present)]
        if k is not None:
            images[entity] = common[k] + 0.5 * images[entity]
        if line and rng.random() < 0.9:
            attribute_lines.append(
                (entity, line + line[:1])
            )  # a name twice in one line counts once
    has_image = (rng.random(TOTAL) >= 0.2).astype(np.int32)
    has_image[ISOLATED] = 0
    images = (images * has_image[:, None]).astype(np.float32)
    missing = int((has_image == 0).sum())
    return {
        "kg1": np.array(kg1, dtype=np.int32),
        "kg2": np.array(kg2, dtype=np.int32),
        "triples": triples,
        "seeds": seeds,
        "test": test,
        "attributeLines": np.array(
            [(e, a) for e, line in attribute_lines for a in line], dtype=np.int32
        ),
        "images": images,
        "hasImage": has_image,
        "draw.imageNoise": rng.standard_normal((missing, IMAGE_DIM)).astype(np.float32),
        "draw.imageFallback": rng.standard_normal(IMAGE_DIM).astype(np.float32),
        "batches": np.stack([rng.permutation(SEED_LINKS) for _ in range(STEPS)]).astype(np.int32),
    }


def build_features(problem, mode):
    """Feature tables of a mode. official: all lines, normal fill; the others: distinct lines,
    neighbour fill.

    masked: the image of an entity without one, an empty attribute row and an empty relation row are
    unavailable. bare: the same, and four entities (`bare_entities`) lose all three.
    """
    official = mode in ("official", "noimage")
    triples = problem["triples"] if official else distinct(problem["triples"])
    relation, relation_names = relation_bag(triples)
    lines = {}
    for entity, name in problem["attributeLines"].tolist():
        lines.setdefault(entity, []).append(name)
    attribute, attribute_names = attribute_bag(list(lines.items()))
    masks = mode in ("masked", "bare")
    fill = "mask" if masks else "normal" if official else "neighbours"
    image = fill_images(
        problem["images"],
        problem["hasImage"],
        triples,
        problem["draw.imageNoise"],
        problem["draw.imageFallback"],
        fill,
    )
    tables = {"image": image, "relation": relation, "attribute": attribute}
    available = np.ones((TOTAL, len(SCORE_ORDER)), dtype=np.int32)
    if mode == "bare":
        for table in tables.values():
            table[bare_entities(problem)] = 0
    if masks:
        available = np.stack([(tables[m] != 0).any(1) for m in SCORE_ORDER], axis=1).astype(
            np.int32
        )
        counts = set(available.sum(1).tolist())
        assert counts == ({1, 2, 3} if mode == "masked" else {0, 1, 2, 3})
    return {
        "features.image": image,
        "features.relation": relation,
        "features.attribute": attribute,
        "relationNames": relation_names,
        "attributeNames": attribute_names,
        "available": available,
    }


def bare_entities(problem):
    """Both ends of the first seed, one end of the first test link, and the isolated entity."""
    return [*problem["seeds"][0].tolist(), int(problem["test"][0, 0]), ISOLATED]


def make_proxies(rng):
    """Starts of the proxy matching over the whole embedding."""
    width = (len(MODALITIES) + 2 * LAYERS + 1) * HIDDEN
    normal = lambda std, *shape: (std * rng.standard_normal(shape)).astype(np.float32)
    return {
        "proxy.vectors": normal(0.5, PROXIES, width),
        "proxy.gate.weight": normal(1 / math.sqrt(width), width, width),
        "proxy.gate.bias": normal(0.3, width),
    }


def make_parameters(rng):
    """Random starts, deliberately NOT the method's starts, so that every path carries visible
    gradient.

    Row 0 of a fusion factor (the row that meets the constant 1) lies near 1, so the fusion is not
    silent.
    """
    d = HIDDEN
    normal = lambda shape, mean=0.0, std=1.0: (mean + std * rng.standard_normal(shape)).astype(
        np.float32
    )
    parameters = {"entity": normal((TOTAL, d), std=0.5), "relation": normal((RELATION_ROWS, d))}
    for encoder in ("structure", "joint"):
        for layer in range(LAYERS):
            parameters[f"{encoder}.kernel.layer{layer}"] = normal((d,))
    widths = {"image": IMAGE_DIM, "attribute": TOP_ATTRIBUTES, "relation": TOP_RELATIONS}
    for m in MODALITIES:
        scale = 0.3 if m == "relation" else 1.0
        parameters[f"{m}.weight"] = normal((widths[m], d), std=scale / math.sqrt(d))
        parameters[f"{m}.bias"] = normal((d,), std=0.2)
    parameters["modalityQuery"] = normal((d,))
    for m in MODALITIES:
        factor = normal((RANK, d + 1, d), std=0.8)
        factor[:, 0] = normal((RANK, d), mean=1.0, std=0.3)
        parameters[f"fusion.factor.{m}"] = factor
    parameters["fusion.rankWeight"] = normal((RANK,), std=0.4)
    parameters["fusion.bias"] = normal((d,), std=0.1)
    parameters["earlyWeights"] = normal((len(EARLY_ORDER),), mean=1.0, std=0.3)
    return parameters
