"""PyTorch's side of `lab-tensor bench`: runs one operation at a time, asked by JSON lines.

    {"do": "prepare", "op": NAME}            -> {"forms": [...], "failed": {FORM: REASON}}
    {"do": "run", "form": FORM, "count": N}  -> {"wallMs": ..., "cpuMs": ...}, for one repetition
    {"do": "release"}                        -> {}

The first line says what runs here. An operation that PyTorch does not have gives no forms.
"""

import contextlib
import gc
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import torch
import torch.nn.functional as F

from torch_graph_ops import (
    NODES,
    WIDTH,
    csr_forward,
    csr_gradients,
    gat_forward,
    gat_gradients,
    gather,
    gather_gradient,
    gradients_of,
    normal,
    segment_max,
    segment_softmax,
    segment_sum,
    torch_geometric,
)


def product(a_shape, b_shape, transpose_a=False, transpose_b=False):
    def prepare():
        a, b = normal(*a_shape), normal(*b_shape)
        a = a.mT if transpose_a else a
        b = b.mT if transpose_b else b
        return {"matmul": lambda: torch.matmul(a, b)}

    return prepare


def product_gradients(a_shape, b_shape):
    def prepare():
        a, b = normal(*a_shape), normal(*b_shape)
        return {"matmul": gradients_of(torch.matmul, [a, b], normal(a_shape[0], b_shape[1]))}

    return prepare


def causal(q, k, v):
    return F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]


HEADS = (12, 256, 64)


def attention():
    q, k, v = (normal(*HEADS) for _ in range(3))
    return {"sdpa": lambda: causal(q, k, v)}


def attention_gradients():
    inputs = [normal(*HEADS) for _ in range(3)]
    return {"sdpa": gradients_of(causal, inputs, normal(*HEADS))}


def rotary():
    x = normal(*HEADS)
    angles = torch.arange(256)[:, None] * 10_000.0 ** (-torch.arange(32) / 32)
    cosine, sine = (torch.cat([f(angles)] * 2, 1) for f in (torch.cos, torch.sin))

    def rotate():
        first, second = x.chunk(2, -1)
        return x * cosine + torch.cat([-second, first], -1) * sine

    return {"chunks": rotate}


def triad():
    a, b, c = (normal(2**24) for _ in range(3))
    return {"add": lambda: torch.add(b, c, alpha=3.0, out=a)}


def adamw():
    def form(**options):
        parameter = torch.nn.Parameter(normal(5_000_000))
        parameter.grad = normal(5_000_000)
        return torch.optim.AdamW([parameter], lr=1e-3, **options).step

    return {"fused": form(fused=True), "foreach": form(foreach=True)}


def topk():
    x = normal(1000, 15_000)
    return {"topk": lambda: torch.topk(x, 10, dim=1)}


def unary(shape, f, name):
    def prepare():
        x = normal(*shape)
        return {name: lambda: f(x)}

    return prepare


def layer_norm():
    x, gain, bias = normal(4096, 4096), torch.ones(4096), torch.zeros(4096)
    return {"layer_norm": lambda: F.layer_norm(x, (4096,), gain, bias)}


def layer_norm_gradients():
    x, gain, bias = normal(NODES, WIDTH), torch.ones(WIDTH), torch.zeros(WIDTH)
    f = lambda t, g, b: F.layer_norm(t, (WIDTH,), g, b)
    return {"layer_norm": gradients_of(f, [x, gain, bias], normal(NODES, WIDTH))}


def rms_norm():
    x, gain = normal(4096, 4096), torch.ones(4096)
    return {"rms_norm": lambda: F.rms_norm(x, (4096,), gain)}


def gradient(shape, f, name):
    def prepare():
        return {name: gradients_of(f, [normal(*shape)], normal(*shape))}

    return prepare


def half_product(rows):
    def prepare():
        x, weight = normal(rows, 896), normal(4864, 896)
        types = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
        inputs = {name: (x.to(dtype), weight.to(dtype)) for name, dtype in types.items()}
        return {name: lambda pair=pair: F.linear(*pair) for name, pair in inputs.items()}

    return prepare


def binary(a_shape, b_shape, f, name):
    def prepare():
        a, b = normal(*a_shape), normal(*b_shape)
        return {name: lambda: f(a, b)}

    return prepare


SQUARE, CUBE = (2048, 2048), (8, 1024, 1024)
ROWS = (NODES, WIDTH)

OPERATIONS = {
    "triad": triad,
    "matmul-2048": product(SQUARE, SQUARE),
    "matmul-2048-transpose-a": product(SQUARE, SQUARE, transpose_a=True),
    "matmul-2048-transpose-b": product(SQUARE, SQUARE, transpose_b=True),
    "matmul-2048-transpose-both": product(SQUARE, SQUARE, True, True),
    "matmul-8x1024": product(CUBE, CUBE),
    "matmul-8x1024-transpose-a": product(CUBE, CUBE, transpose_a=True),
    "matmul-8x1024-transpose-b": product(CUBE, CUBE, transpose_b=True),
    "matmul-256x768x768-gradients": product_gradients((256, 768), (768, 768)),
    "matmul-30000x300x300": product((30_000, 300), (300, 300)),
    "matmul-30000x300x2": product((30_000, 300), (300, 2)),
    "matmul-300x30000x2": product((30_000, 300), (30_000, 2), transpose_a=True),
    "attention-12x256x64": attention,
    "attention-12x256x64-gradients": attention_gradients,
    "rotary-12x256x64": rotary,
    "gather-200k-300": gather,
    "gather-200k-300-gradient": gather_gradient,
    "segment-max-200k-300": segment_max,
    "segment-softmax-200k": segment_softmax,
    "segment-sum-200k-300": segment_sum,
    "csr-matmul-forward": csr_forward,
    "csr-matmul-gradients": csr_gradients,
    "gat-layer-forward": gat_forward,
    "gat-layer-gradients": gat_gradients,
    "adamw-5m": adamw,
    "topk-10-of-15000": topk,
    "softmax-4096": unary((4096, 4096), lambda x: torch.softmax(x, 1), "softmax"),
    "softmax-4096-gradient": gradient((4096, 4096), lambda x: torch.softmax(x, 1), "softmax"),
    "log-softmax-4096": unary((4096, 4096), lambda x: torch.log_softmax(x, 1), "log_softmax"),
    "rms-norm-4096": rms_norm,
    "layer-norm-4096": layer_norm,
    "layer-norm-15k-300-gradients": layer_norm_gradients,
    "l2-normalize-15k-300-gradient": gradient(ROWS, lambda x: F.normalize(x, dim=1), "normalize"),
    "dropout-15k-300-gradient": gradient(ROWS, lambda x: F.dropout(x, 0.5), "dropout"),
    "gelu-4m": unary((4_000_000,), F.gelu, "gelu"),
    "gelu-4m-gradient": gradient((4_000_000,), F.gelu, "gelu"),
    "silu-4m": unary((4_000_000,), F.silu, "silu"),
    "matvec-f16-896x4864": half_product(1),
    "matvec-bf16-896x4864": half_product(1),
    "matmul-bf16-8x896x4864": half_product(8),
    "matmul-f16-256x896x4864": half_product(256),
    "small-add": binary((16, 16), (16, 16), torch.add, "add"),
    "add-15k-300": binary(ROWS, ROWS, torch.add, "add"),
    "mul-row-15k-300": binary(ROWS, (WIDTH,), torch.mul, "mul"),
    "mul-column-15k-300": binary(ROWS, (NODES, 1), torch.mul, "mul"),
    "sum-axis-0-4096": unary((4096, 4096), lambda x: x.sum(0), "sum"),
    "sum-axis-1-4096": unary((4096, 4096), lambda x: x.sum(1), "sum"),
    "transpose-4096": unary((4096, 4096), lambda x: x.t().contiguous(), "contiguous"),
    "concat-3-15k-300": unary(ROWS, lambda x: torch.cat([x, x, x], 1), "cat"),
    "slice-half-15k-300": unary(ROWS, lambda x: x[:, :150].contiguous(), "contiguous"),
    "exp-15k-300": unary(ROWS, torch.exp, "exp"),
    "elu-15k-300": unary(ROWS, F.elu, "elu"),
    "relu-15k-300": unary(ROWS, torch.relu, "relu"),
    "sigmoid-15k-300": unary(ROWS, torch.sigmoid, "sigmoid"),
    "tanh-15k-300": unary(ROWS, torch.tanh, "tanh"),
    "softplus-15k-300": unary(ROWS, F.softplus, "softplus"),
    "sqrt-15k-300": unary(ROWS, torch.sqrt, "sqrt"),
    "square-15k-300": unary(ROWS, torch.square, "square"),
}


def prepare(name):
    """The forms of an operation that work here, each tried once, and why the others do not."""
    working, failed = {}, {}
    operation = OPERATIONS.get(name)
    for form, f in (operation() if operation else {}).items():
        try:
            f()
            working[form] = f
        except (RuntimeError, NotImplementedError, TypeError) as error:
            failed[form] = str(error).split("\n")[0]
    return working, failed


def measure(f, count):
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        f()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wallMs": wall * 1e3 / count, "cpuMs": cpu * 1e3 / count}


def describe():
    return {
        "version": torch.__version__,
        "python": sys.version.split()[0],
        "threads": torch.get_num_threads(),
        "torchGeometric": torch_geometric.__version__ if torch_geometric else None,
    }


def main():
    answers = sys.stdout
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(1)
    forms = {}
    with contextlib.redirect_stdout(sys.stderr):
        print(json.dumps(describe()), file=answers, flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            answer = {}
            if request["do"] == "prepare":
                forms, failed = prepare(request["op"])
                answer = {"forms": list(forms), "failed": failed}
            elif request["do"] == "run":
                answer = measure(forms[request["form"]], request["count"])
            else:
                forms = {}
                gc.collect()
            print(json.dumps(answer), file=answers, flush=True)


main()
