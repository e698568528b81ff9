"""Numbers that follow from shapes and constants alone, each with its formula. README.md has the
derivations."""

import math

from golden_evaluation import CSLS_K

D, K, MODALITIES, LAYERS = 300, 8, 3, 2
TOP = 1000
FLOAT = 4
N_FB_DB, R0_FB_DB, VGG = 27793, 1345 + 279 + 1, 4096
N_ROUND = 30000  # "30 k entities"
LEARNING_RATE = 5e-4  # the released script's


def entry(value, formula):
    return {"value": value, "formula": formula}


def linear(inputs, outputs=D):
    return inputs * outputs + outputs


def parameter_parts(entities, r0, relations, attributes, image=None):
    """Trained parameters by part; tables as wide as the data has names, no image layer without
    images."""
    modalities = 2 if image is None else 3
    parts = {
        "entity": entities * D,
        "relation": 2 * r0 * D,
        "image": 0 if image is None else linear(image),
        "relationLayer": linear(relations),
        "attributeLayer": linear(attributes),
        "modalityQuery": D,
        "fusion": modalities * K * (D + 1) * D + K + D,
        "earlyWeights": MODALITIES,
        "attentionKernels": 2 * LAYERS * D,
    }
    parts["total"] = sum(parts.values())
    return parts


def released_parameters():
    """FB15K-DB15K as released: padded to 1,000 columns, and the parts that are built but never
    used."""
    parts = parameter_parts(N_FB_DB, R0_FB_DB, TOP, TOP, VGG)
    used = parts.pop("total")
    unused = {"secondFusion": parts["fusion"], "relFcDual": linear(2 * R0_FB_DB), "lossWeights": 6}
    return {
        "used": parts,
        "usedTotal": used,
        "unused": unused,
        "total": used + sum(unused.values()),
    }


def parameters():
    return {
        "fb15kDb15kReleased": released_parameters(),
        "fb15kDb15kNarrowAttributes": parameter_parts(N_FB_DB, R0_FB_DB, TOP, 341, VGG),
        "enFr15kNoImages": parameter_parts(30000, 399, 398, 580),
        "enFr3kNoImages": parameter_parts(6000, 399, 253, 326),
        "enDe15kNoImages": parameter_parts(30000, 343, 342, 354),
        "dbpYg15kNoImages": parameter_parts(30000, 254, 253, 342),
    }


def starts():
    """Xavier-normal of torch on rank-3 tensors, and how silent the fusion starts."""
    variance = 2 / ((D + 1) * D + K * D)
    factor = lambda modalities: variance * (1 + 1 / modalities**2)
    product = lambda modalities: factor(modalities) ** (modalities / 2)
    fused = math.sqrt(D * K * 2 / (K + 1)) * product(2)
    return {
        "fusionFactorFanIn": entry((D + 1) * D, "301 * 300"),
        "fusionFactorFanOut": entry(K * D, "8 * 300"),
        "fusionFactorDeviation": entry(math.sqrt(variance), "sqrt(2 / (fanIn + fanOut))"),
        "rankWeightDeviation": entry(math.sqrt(2 / (K + 1)), "sqrt(2 / (8 + 1)), c is [1, 8]"),
        "productOfThreeFactors": entry(
            product(3), "(deviation^2 (1 + 1/9))^(3/2), alpha = 1/3: root mean square of one entry"
        ),
        "fusedLengthTwoModalities": entry(
            fused, "sqrt(300 * 8 * 2/9) * deviation^2 (1 + 1/4), alpha = 1/2: root mean square"
        ),
        "fusedLengthAfterOneStepAtMost": entry(
            LEARNING_RATE * math.sqrt(D),
            "5e-4 sqrt(300): the first AdamW step moves each bias by lr",
        ),
        "fullTensorWeightsPerOutput": entry((D + 1) ** 3, "301^3"),
        "fusionFactorWeights": entry(K * (D + 1) * D, "8 * 301 * 300, one modality"),
    }


def widths():
    return {
        "structure": entry((LAYERS + 1) * D, "(L + 1) d"),
        "joint": entry((MODALITIES + LAYERS) * D, "(M + L) d"),
        "embedding": entry((MODALITIES + 2 * LAYERS + 1) * D, "(M + 2 L + 1) d"),
        "embeddingTwoModalities": entry((2 + 2 * LAYERS + 1) * D, "(2 + 2 L + 1) d"),
    }


def levels():
    """Values of losses and scores that need no data."""
    return {
        "infoNceEqualRows": {str(b): math.log(b) for b in (900, 3500, 4500)},
        "intraContrastiveEqualRows": {str(b): math.log(2 * b - 1) for b in (900, 3500, 4500)},
        "infoNceOneSeed": 0.0,
        "cslsOfConstant": 0.0,
        "similarityRange": [-3, 1],
        "realisticRankAllTied": entry(2.5, "(n + 1) / 2 with n = 4"),
        "cslsK": CSLS_K,
    }


def schedule():
    """Epochs (counted from 0) at which the released loop proposes and adopts pseudo seeds, and
    tests."""

    def epochs(total):
        late = range(50, total)
        return {
            "proposals": sum((e + 1) % 5 == 0 for e in late),
            "firstProposals": [e for e in late if (e + 1) % 5 == 0][:3],
            "replacingProposals": [e for e in late if (e + 1) % 50 == 5],
            "adoptions": [e for e in late if (e + 1) % 50 == 0],
            "agreementsForAdoption": sum((e + 1) % 5 == 0 for e in range(50, 100)),
        }

    return {"script1000": epochs(1000), "supplement600": epochs(600)}


def splits():
    links = {"fb15kDb15k": 12846, "fb15kYago15k": 11199, "dbp15k": 15000}
    rates = {"fb15kDb15k": (0.2, 0.5, 0.8), "fb15kYago15k": (0.2, 0.5, 0.8), "dbp15k": (0.3,)}
    return {
        name: {
            str(rate): {"seeds": int(n * rate), "test": n - int(n * rate)} for rate in rates[name]
        }
        for name, n in links.items()
    }


def cost():
    """Multiply-adds of one forward pass, and bytes (float32)."""
    e_zh, e_fb = 259545, 648921
    o = (MODALITIES + 2 * LAYERS + 1) * D
    test = {"30k": 10500, "200k": 70000, "2M": 700000}
    return {
        "fusionMultiplyAdds": entry(3 * K * N_ROUND * (D + 1) * D, "3 K N 301 300, N = 30,000"),
        "infoNceMultiplyAdds": entry(3500**2 * o, "B^2 2400, B = 3,500"),
        "imageMultiplyAdds": entry(N_FB_DB * VGG * D, "N 4096 300, N = 27,793"),
        "reflectionMultiplyAddsZhEn": entry(
            2 * (4 * e_zh * D + e_zh * D), "2 (4 E d + E d), E = 259,545"
        ),
        "allRanksBytes": entry(K * N_ROUND * D * FLOAT, "8 N 300 4, one modality, N = 30,000"),
        "pairTensorBytes": entry(e_fb * D * FLOAT, "E 300 4, E = 648,921"),
        "testSimilarityBytes": {key: n * n * FLOAT for key, n in test.items()},
        "topKMultiplyAdds": {key: n * n * o for key, n in test.items()},
        "entityTableBytes": {key: n * D * FLOAT for key, n in SCALES.items()},
        "entityTableWithMomentsBytes": {key: 3 * n * D * FLOAT for key, n in SCALES.items()},
        "embeddingBytes": {key: n * o * FLOAT for key, n in SCALES.items()},
        "denseBagBytes": {key: n * TOP * FLOAT for key, n in SCALES.items()},
        "imageBytes2048": {key: n * 2048 * FLOAT for key, n in SCALES.items()},
        "imageBytes4096": {key: n * 4096 * FLOAT for key, n in SCALES.items()},
    }


SCALES = {"30k": 30000, "200k": 200000, "2M": 2000000}


def sorting_key():
    """head * 1e11 + tail * 1e6 of the released loader."""
    return {
        "lastExactHead": entry(
            2**53 // 10**11, "2^53 / 1e11: heads above leave exact float64 integers"
        ),
        "firstCollidingTail": entry(
            10**11 // 10**6, "1e11 / 1e6: tails from here reach the next head"
        ),
    }


def counted():
    """Counted from public files by the definitions of `ordered_pairs`; not recomputed by this
    script.

    N entities, E ordered pairs, U distinct relation sets, R0 = largest relation id + 2.
    """
    columns = (
        "entities",
        "triples",
        "E",
        "U",
        "R0",
        "relations",
        "isolated",
        "attributes",
        "links",
    )
    rows = {
        "srprsEnFr3k": (6000, 22430, 31071, 1055, 399, 253, 59, 326, 3000),
        "srprsEnFr": (30000, 70040, 112178, 2015, 399, 398, 0, 580, 15000),
        "srprsEnDe": (30000, 75740, 123224, 1644, 343, 342, 0, 354, 15000),
        "srprsDbpYg": (30000, 70317, 119600, 1266, 254, 253, 0, 342, 15000),
        "dbp15kZhEn": (38960, 165556, 259545, 14096, 3025, 3024, 0, None, 15000),
        "dbp15kJaEn": (39594, 170698, 270029, 10345, 2453, 2452, 0, None, 15000),
        "dbp15kFrEn": (39654, 221720, 353543, 11044, 2112, 2111, 0, None, 15000),
        "fb15k64Db15k": (27793, 480214, 648921, 10429, 1625, 1335, 164, 341, 12846),
        "fb15k64Yago15k": (30355, 504072, 684243, 7039, 1378, 1088, 164, 123, 11199),
    }
    return {name: dict(zip(columns, row)) for name, row in rows.items()}


def oracles():
    return {
        "parameters": parameters(),
        "starts": starts(),
        "widths": widths(),
        "levels": levels(),
        "schedule": schedule(),
        "splits": splits(),
        "cost": cost(),
        "sortingKey": sorting_key(),
        "counted": counted(),
    }
