"""Times the same work with PyTorch on the same GPU: `python3 torch_times.py FILE` writes JSON.

Where PyTorch has several forms, each is timed and the fastest counts; a form that this version of
PyTorch cannot run is left out. float32 throughout, products without TF32.
"""

import json
import sys
import warnings

import shapes
import torch
import torch.nn.functional as functional

REPEATS = 15
CALLS_PER_TIME = 10
# Calls slower than this are timed two at a time.
SLOW_MILLISECONDS = 5


def milliseconds_of(body, calls):
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(calls):
        body()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / calls


def median_time(body):
    for _ in range(3):
        body()
    calls = 2 if milliseconds_of(body, 2) > SLOW_MILLISECONDS else CALLS_PER_TIME
    times = sorted(milliseconds_of(body, calls) for _ in range(REPEATS))
    return times[len(times) // 2]


def fastest(forms):
    """Time and name of the fastest form, and the times of all."""
    times = {}
    for name, body in forms.items():
        try:
            times[name] = median_time(body)
        except (RuntimeError, NotImplementedError) as error:
            print(f"torch: {name} left out: {str(error).splitlines()[0]}", file=sys.stderr)
        torch.cuda.empty_cache()
    if not times:
        return {"milliseconds": None, "form": "none", "forms": {}}
    best = min(times, key=times.get)
    return {"milliseconds": times[best], "form": best, "forms": times}


class Inputs:
    """The arrays of the large graph on the GPU."""

    def __init__(self):
        graph = shapes.large_graph()
        self.pointers, self.columns, self.rows = map(
            self.indices, (graph.pointers, graph.columns, graph.rows)
        )
        self.transposed, self.receivers, self.places = map(
            self.indices, (graph.transposed, graph.receivers, graph.places)
        )
        torch.manual_seed(shapes.SEED)
        self.x, self.dy = self.floats(shapes.NODES), self.floats(shapes.NODES)
        self.values = torch.randn(shapes.ENTRIES, device="cuda", requires_grad=True)
        self.vectors = torch.randn(2 * shapes.HEADS, shapes.WIDTH, device="cuda") / 17
        self.weights = torch.randn(shapes.HEADS, shapes.WIDTH, device="cuda")
        for tensor in (self.x, self.vectors, self.weights):
            tensor.requires_grad_()

    @staticmethod
    def indices(array):
        return torch.from_numpy(array.astype("int64")).cuda()

    @staticmethod
    def floats(rows):
        return torch.randn(rows, shapes.WIDTH, device="cuda")

    def matrix(self, values):
        size = (shapes.NODES, shapes.NODES)
        return torch.sparse_csr_tensor(self.pointers, self.columns, values, size)

    def transpose(self, values):
        size = (shapes.NODES, shapes.NODES)
        return torch.sparse_csr_tensor(self.transposed, self.receivers, values[self.places], size)


def by_index_add(given, values, x):
    out = torch.zeros_like(x)
    return out.index_add(0, given.rows, values[:, None] * x[given.columns])


def by_scatter(given, values, x):
    index = given.rows[:, None].expand(-1, x.shape[1])
    return torch.zeros_like(x).scatter_add(0, index, values[:, None] * x[given.columns])


def by_csr(given, values, x):
    return torch.sparse.mm(given.matrix(values), x)


def by_segments(given, values, x):
    products = values[:, None] * x[given.columns]
    return torch.segment_reduce(products, "sum", offsets=given.pointers, axis=0)


COLLECT_FORMS = {
    "index_add": by_index_add,
    "scatter_add": by_scatter,
    "sparse csr": by_csr,
    "segment_reduce": by_segments,
}


def csr_by_hand(given):
    values, x = given.values.detach(), given.x.detach()
    matrix = given.matrix(values)
    return (
        matrix @ x,
        given.transpose(values) @ given.dy,
        torch.sparse.sampled_addmm(matrix, given.dy, x.T, beta=0.0).values(),
    )


def csr_times(given):
    values, x = given.values.detach(), given.x.detach()
    matrix = given.matrix(values)
    forms = {name: lambda f=form: f(given, values, x) for name, form in COLLECT_FORMS.items()}
    forms["sparse csr, made before"] = lambda: matrix @ x

    def gradients(form):
        out = form(given, given.values, given.x)
        return torch.autograd.grad(out, (given.values, given.x), given.dy)

    backward = {name: lambda f=form: gradients(f) for name, form in COLLECT_FORMS.items()}
    backward["sparse csr, transpose and sampled_addmm"] = lambda: csr_by_hand(given)
    return {shapes.CSR: fastest(forms), shapes.CSR_GRADIENTS: fastest(backward)}


def attention_layer(given, collect):
    scores = (given.x @ given.vectors.T).view(shapes.NODES, shapes.HEADS, 2)
    sums = scores[given.rows, :, 0] + scores[given.columns, :, 1]
    values = functional.leaky_relu(sums, shapes.NEGATIVE_SLOPE)
    index = given.rows[:, None].expand(-1, shapes.HEADS)
    start = values.new_full((shapes.NODES, shapes.HEADS), -torch.inf)
    largest = start.scatter_reduce(0, index, values.detach(), "amax")
    shares = (values - largest[given.rows]).exp()
    totals = torch.zeros_like(largest).index_add(0, given.rows, shares)
    shares = shares / totals[given.rows]
    heads = (
        given.weights[k] * collect(given, shares[:, k].contiguous(), given.x)
        for k in range(shapes.HEADS)
    )
    return sum(heads) / shapes.HEADS


def attention_times(given):
    def forward(form):
        with torch.no_grad():
            return attention_layer(given, form)

    def gradients(form):
        inputs = (given.x, given.vectors, given.weights)
        return torch.autograd.grad(attention_layer(given, form), inputs, given.dy)

    forms = {name: lambda f=form: forward(f) for name, form in COLLECT_FORMS.items()}
    backward = {name: lambda f=form: gradients(f) for name, form in COLLECT_FORMS.items()}
    return {shapes.ATTENTION: fastest(forms), shapes.ATTENTION_GRADIENTS: fastest(backward)}


def adamw_time():
    parameter = torch.randn(shapes.PARAMETERS, device="cuda", requires_grad=True)
    parameter.grad = torch.randn_like(parameter)
    optimizer = torch.optim.AdamW([parameter], lr=0.01, fused=True)
    return {shapes.ADAMW: fastest({"AdamW fused": optimizer.step})}


def row_times(given):
    x = torch.randn(shapes.ROWS, shapes.WIDTH, device="cuda")
    gain, bias = torch.ones(shapes.WIDTH, device="cuda"), torch.zeros(shapes.WIDTH, device="cuda")
    dense = given.x.detach()
    width = (shapes.WIDTH,)
    gathers = {"x[indices]": lambda: dense[given.columns]}
    gathers["index_select"] = lambda: dense.index_select(0, given.columns)
    return {
        shapes.GATHER: fastest(gathers),
        shapes.SOFTMAX: fastest({"softmax": lambda: torch.softmax(x, 1)}),
        "log_softmax_rows: large": fastest({"log_softmax": lambda: torch.log_softmax(x, 1)}),
        "normalize_rows: large": fastest({"normalize": lambda: functional.normalize(x)}),
        "layer_norm: large": fastest(
            {"layer_norm": lambda: functional.layer_norm(x, width, gain, bias)}
        ),
        "rms_norm: large": fastest({"rms_norm": lambda: functional.rms_norm(x, width, gain)}),
        f"dropout: {x.numel()} values": fastest({"dropout": lambda: functional.dropout(x, 0.2)}),
    }


def segment_times(given):
    x = torch.randn(shapes.ENTRIES, shapes.WIDTH, device="cuda")
    mixed = given.rows[torch.randperm(shapes.ENTRIES, device="cuda")]
    out = torch.zeros(shapes.NODES, shapes.WIDTH, device="cuda")
    index = mixed[:, None].expand(-1, shapes.WIDTH)
    unordered = {
        "index_add": lambda: torch.zeros_like(out).index_add_(0, mixed, x),
        "scatter_add": lambda: torch.zeros_like(out).scatter_add_(0, index, x),
    }
    ordered = lambda: torch.segment_reduce(x, "sum", offsets=given.pointers, axis=0)
    return {
        shapes.SEGMENT_SUM: fastest(unordered),
        shapes.SEGMENT_TOTAL: fastest({"segment_reduce of sorted rows": ordered}),
    }


def main():
    warnings.filterwarnings("ignore")
    given = Inputs()
    times = {
        **csr_times(given),
        **attention_times(given),
        **adamw_time(),
        **row_times(given),
        **segment_times(given),
    }
    machine = {"cuda": torch.version.cuda, "torch": torch.__version__}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"machine": machine, "times": times}, file, indent=2)


if __name__ == "__main__":
    main()
