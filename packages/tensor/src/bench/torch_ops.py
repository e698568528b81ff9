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

try:
    import torch_geometric
    from torch_geometric.nn import GATConv
    from torch_geometric.utils import scatter, softmax as segment_softmax
except ImportError:
    torch_geometric = None

NODES, EDGES, WIDTH = 15_000, 200_000, 300


def normal(*shape):
    return torch.randn(*shape)


class Graph:
    """200,000 distinct edges of 15,000 nodes sorted by target, with the transposed order."""

    def __init__(self):
        places = torch.unique(torch.randint(NODES * NODES, (EDGES + EDGES // 10,)))
        places = places[torch.randperm(len(places))[:EDGES]].sort().values
        self.rows, self.columns = places // NODES, places % NODES
        self.pointers = self._pointers(self.rows)
        self.permutation = torch.argsort(self.columns, stable=True)
        # 32-bit indices are the faster ones in the sparse kernels.
        self.pattern = self.pointers.int(), self.columns.int()
        sources = self.rows[self.permutation]
        self.transposed_pattern = self._pointers(self.columns).int(), sources.int()

    @staticmethod
    def _pointers(ids):
        counts = torch.bincount(ids, minlength=NODES)
        return torch.cat([torch.zeros(1, dtype=torch.int64), torch.cumsum(counts, 0)])

    def matrix(self, values):
        return torch.sparse_csr_tensor(*self.pattern, values, (NODES, NODES))

    def transpose(self, values):
        moved = values[self.permutation]
        return torch.sparse_csr_tensor(*self.transposed_pattern, moved, (NODES, NODES))


class CsrProduct(torch.autograd.Function):
    """Sparse times dense with both gradients by sparse kernels: the fastest that we know of."""

    @staticmethod
    def forward(ctx, values, dense, graph):
        ctx.graph = graph
        ctx.save_for_backward(values, dense)
        return graph.matrix(values) @ dense

    @staticmethod
    def backward(ctx, dy):
        values, dense = ctx.saved_tensors
        pattern = ctx.graph.matrix(values)
        sampled = torch.sparse.sampled_addmm(pattern, dy, dense.t(), beta=0.0)
        return sampled.values(), ctx.graph.transpose(values) @ dy, None


def index_add_product(graph, values, dense):
    messages = dense[graph.columns] * values[:, None]
    return torch.zeros(NODES, dense.shape[1]).index_add_(0, graph.rows, messages)


def gradients_of(f, inputs, dy):
    """A function that runs f on leaves of these inputs and all gradients."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    return lambda: torch.autograd.grad(f(*leaves), leaves, dy)


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


def attention():
    q, k, v = (normal(12, 256, 64) for _ in range(3))
    return {
        "sdpa": lambda: F.scaled_dot_product_attention(
            q[None], k[None], v[None], is_causal=True
        )
    }


def triad():
    a, b, c = (normal(2**24) for _ in range(3))
    return {"add": lambda: torch.add(b, c, alpha=3.0, out=a)}


def gather():
    x, ids = normal(NODES, WIDTH), torch.randint(NODES, (EDGES,))
    return {"index_select": lambda: x.index_select(0, ids), "index": lambda: x[ids]}


def segment_sum():
    graph, x = Graph(), normal(EDGES, WIDTH)
    forms = {
        "index_add": lambda: torch.zeros(NODES, WIDTH).index_add_(0, graph.rows, x),
        "segment_reduce": lambda: torch.segment_reduce(x, "sum", lengths=graph.pointers.diff()),
    }
    if torch_geometric:
        forms["torch-geometric"] = lambda: scatter(x, graph.rows, dim=0, dim_size=NODES)
    return forms


def csr_forward():
    graph, x, values = Graph(), normal(NODES, WIDTH), normal(EDGES)
    matrix = graph.matrix(values)
    forms = {
        "index_add": lambda: index_add_product(graph, values, x),
        "csr": lambda: matrix @ x,
    }
    if torch_geometric:
        spmm = torch_geometric.utils.spmm
        forms["torch-geometric"] = lambda: spmm(matrix, x, reduce="sum")
    return forms


def csr_gradients():
    graph, x, values = Graph(), normal(NODES, WIDTH), normal(EDGES)
    dy = normal(NODES, WIDTH)
    products = {
        "index_add": lambda v, d: index_add_product(graph, v, d),
        "csr": lambda v, d: CsrProduct.apply(v, d, graph),
    }
    return {name: gradients_of(f, [values, x], dy) for name, f in products.items()}


def edge_softmax(graph, scores):
    ids = graph.rows
    top = torch.full((NODES,), -torch.inf).scatter_reduce(0, ids, scores, "amax")
    powers = torch.exp(scores - top.detach()[ids])
    return powers / torch.zeros(NODES).index_add_(0, ids, powers)[ids]


def gat_layer(graph, aggregate):
    def layer(x, weight, target, source):
        h = x @ weight
        scores = (h @ target)[graph.rows] + (h @ source)[graph.columns]
        return aggregate(edge_softmax(graph, F.leaky_relu(scores, 0.2)), h)

    return layer


def gat_layers():
    graph = Graph()
    layers = {
        "index_add": gat_layer(graph, lambda a, h: index_add_product(graph, a, h)),
        "csr": gat_layer(graph, lambda a, h: CsrProduct.apply(a, h, graph)),
    }
    inputs = [normal(NODES, WIDTH), normal(WIDTH, WIDTH) / 17, normal(WIDTH), normal(WIDTH)]
    return graph, layers, inputs


def geometric_gat(graph):
    convolution = GATConv(WIDTH, WIDTH, heads=1, add_self_loops=False, bias=False)
    edges = torch.stack([graph.columns, graph.rows])
    return convolution, lambda x: convolution(x, edges)


def gat_forward():
    graph, layers, inputs = gat_layers()
    forms = {name: lambda f=f: f(*inputs) for name, f in layers.items()}
    if torch_geometric:
        _, run = geometric_gat(graph)
        forms["torch-geometric"] = lambda: run(inputs[0])

    def quietly(f):
        def run():
            with torch.no_grad():
                return f()

        return run

    return {name: quietly(f) for name, f in forms.items()}


def gat_gradients():
    graph, layers, inputs = gat_layers()
    dy = normal(NODES, WIDTH)
    forms = {name: gradients_of(f, inputs, dy) for name, f in layers.items()}
    if torch_geometric:
        convolution, run = geometric_gat(graph)
        x = inputs[0].clone().requires_grad_()
        leaves = [x, *convolution.parameters()]
        forms["torch-geometric"] = lambda: torch.autograd.grad(run(x), leaves, dy)
    return forms


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


def row_gradient(f, name):
    def prepare():
        return {name: gradients_of(f, [normal(NODES, WIDTH)], normal(NODES, WIDTH))}

    return prepare


def matvec_f16():
    x, weight = normal(1, 896), normal(4864, 896)
    half, brain = weight.half(), weight.bfloat16()
    half_x, brain_x = x.half(), x.bfloat16()
    return {
        "float16": lambda: F.linear(half_x, half),
        "bfloat16": lambda: F.linear(brain_x, brain),
        "float32": lambda: F.linear(x, weight),
    }


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
    "gather-200k-300": gather,
    "segment-sum-200k-300": segment_sum,
    "csr-matmul-forward": csr_forward,
    "csr-matmul-gradients": csr_gradients,
    "gat-layer-forward": gat_forward,
    "gat-layer-gradients": gat_gradients,
    "adamw-5m": adamw,
    "topk-10-of-15000": topk,
    "softmax-4096": unary((4096, 4096), lambda x: torch.softmax(x, 1), "softmax"),
    "layer-norm-4096": layer_norm,
    "layer-norm-15k-300-gradients": layer_norm_gradients,
    "l2-normalize-15k-300-gradient": row_gradient(lambda x: F.normalize(x, dim=1), "normalize"),
    "dropout-15k-300-gradient": row_gradient(lambda x: F.dropout(x, 0.5), "dropout"),
    "gelu-4m": unary((4_000_000,), F.gelu, "gelu"),
    "matvec-f16-896x4864": matvec_f16,
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
