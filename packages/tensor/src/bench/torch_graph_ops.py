"""The graph operations of `lab-tensor bench` in PyTorch, each in the forms that one may use."""

import torch
import torch.nn.functional as F

try:
    import torch_geometric
    from torch_geometric.nn import GATConv
    from torch_geometric.utils import scatter, softmax
except ImportError:
    torch_geometric = None

NODES, EDGES, WIDTH = 15_000, 200_000, 300


def normal(*shape):
    return torch.randn(*shape)


def gradients_of(f, inputs, dy):
    """A function that runs f on leaves of these inputs and all gradients."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    return lambda: torch.autograd.grad(f(*leaves), leaves, dy)


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


def gather_gradient():
    ids = torch.randint(NODES, (EDGES,))
    dy = normal(EDGES, WIDTH)
    f = lambda x: x.index_select(0, ids)
    return {"index_select": gradients_of(f, [normal(NODES, WIDTH)], dy)}


def segment_max():
    graph, x = Graph(), normal(EDGES, WIDTH)
    ids = graph.rows[:, None].expand(EDGES, WIDTH)
    start = torch.full((NODES, WIDTH), -torch.inf)
    forms = {
        "scatter_reduce": lambda: start.scatter_reduce(0, ids, x, "amax"),
        "segment_reduce": lambda: torch.segment_reduce(x, "max", lengths=graph.pointers.diff()),
    }
    if torch_geometric:
        forms["torch-geometric"] = lambda: scatter(
            x, graph.rows, dim=0, dim_size=NODES, reduce="max"
        )
    return forms


def segment_softmax():
    graph, x = Graph(), normal(EDGES)
    forms = {"index_add": lambda: edge_softmax(graph, x)}
    if torch_geometric:
        forms["torch-geometric"] = lambda: softmax(x, graph.rows, num_nodes=NODES)
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
