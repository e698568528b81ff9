/** The whole model in float64 on nested arrays, entity by entity and pair by pair, for tests. */
import type { ModelSettings } from '../model-settings.js';

export type Matrix = number[][];

/** A parameter: row-major values of a shape. */
export interface TwinParameter {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What the twin reads. */
export interface TwinInputs {
  readonly entityCount: number;
  /** Lines [head, relation, tail]. */
  readonly triples: Matrix;
  /** Feature tables in the order image, relation, attribute; null where the data has none. */
  readonly features: readonly (Matrix | null)[];
  /** 1 where the entity has the modality, `[N, M]` over the tables at hand. */
  readonly available: Matrix;
}

type Settings = Required<ModelSettings>;
type Values = Readonly<Record<string, TwinParameter>>;

const names = ['image', 'relation', 'attribute'];

const sum = (x: readonly number[]) => x.reduce((total, value) => total + value, 0);
const dot = (a: readonly number[], b: readonly number[]) => sum(a.map((x, d) => x * b[d]!));
const plus = (a: readonly number[], b: readonly number[]) => a.map((x, d) => x + b[d]!);
const scaled = (a: readonly number[], factor: number) => a.map((x) => x * factor);
const unit = (a: readonly number[]) => scaled(a, 1 / Math.max(Math.hypot(...a), 1e-12));
const total = (rows: Matrix, width: number) => rows.reduce(plus, Array<number>(width).fill(0));

function softmax(x: readonly number[]): number[] {
  const exponentials = x.map(Math.exp);
  return scaled(exponentials, 1 / sum(exponentials));
}

/** `x W`, W `[I, O]`. */
const times = (x: readonly number[], weight: Matrix) =>
  weight[0]!.map((_, column) => sum(x.map((value, row) => value * weight[row]![column]!)));

const vector = (p: Values, name: string) => Array.from(p[name]!.data);

/** Rows of the last axis: `[I, O]`, and `[K I, O]` of three axes. */
function matrix(p: Values, name: string): Matrix {
  const { shape, data } = p[name]!;
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, row) =>
    Array.from(data.subarray(row * width, (row + 1) * width)),
  );
}

/** Of every entity its neighbours with the directed relations of the pair, ascending. */
function neighboursOf({ entityCount, triples }: TwinInputs) {
  const offset = Math.max(...triples.map((line) => line[1]!)) + 2;
  const pairs = Array.from({ length: entityCount }, () => new Map<number, Set<number>>());
  const add = (i: number, j: number, id: number) => {
    pairs[i]!.set(j, (pairs[i]!.get(j) ?? new Set()).add(id));
  };
  for (const [head, relation, tail] of triples as [number, number, number][]) {
    add(head, tail, relation + 1);
    add(tail, head, relation + 1 + offset);
  }
  return pairs.map((row) =>
    [...row]
      .map(([j, ids]) => ({ j, ids: [...ids].sort((a, b) => a - b) }))
      .sort((a, b) => a.j - b.j),
  );
}

type Neighbours = ReturnType<typeof neighboursOf>;

interface Layer {
  readonly p: Values;
  readonly settings: Settings;
  readonly near: Neighbours;
  /** r of each pair of each entity. */
  readonly normals: readonly Matrix[];
  readonly name: string;
}

/** r of the set of relations of each pair. */
function setVectors(near: Neighbours, p: Values, { relationSets, size }: Settings): Matrix[] {
  const rho = p['relation'] === undefined ? [] : matrix(p, 'relation');
  if (rho.length === 0) return [];
  return near.map((row) =>
    row.map(({ ids }) => {
      const chosen = relationSets === 'one' ? ids.slice(0, 1) : ids;
      return unit(
        scaled(
          total(
            chosen.map((id) => rho[id]!),
            size,
          ),
          1 / chosen.length,
        ),
      );
    }),
  );
}

/** The sum over neighbours by relation attention, with or without reflection. */
function attention(h: Matrix, i: number, layer: Layer): number[] {
  const { p, settings, near, name } = layer;
  const kernel = vector(p, name.replace('#', 'kernel'));
  const pairs = near[i]!.map(({ j }, e) => ({ state: h[j]!, r: layer.normals[i]![e]! }));
  const weights = softmax(pairs.map(({ r }) => dot(r, kernel)));
  const messages = pairs.map(({ state, r }, e) => {
    const mirrored = settings.propagation === 'reflection' ? -2 * dot(state, r) : 0;
    return scaled(plus(state, scaled(r, mirrored)), weights[e]!);
  });
  return total(messages, settings.size);
}

/** `D^-1/2 (A + I) D^-1/2 h W`, row i. */
function convolution(h: Matrix, i: number, { p, settings, near, name }: Layer): number[] {
  const around = near.map((row, own) => new Set([own, ...row.map(({ j }) => j)]));
  const terms = [...around[i]!].map((j) =>
    scaled(h[j]!, 1 / Math.sqrt(around[i]!.size * around[j]!.size)),
  );
  return times(total(terms, settings.size), matrix(p, name.replace('#', 'weight')));
}

function nextState(h: Matrix, layer: Layer): Matrix {
  const { near, settings } = layer;
  const rowOf = (i: number): number[] => {
    if (settings.propagation === 'gcn') return convolution(h, i, layer);
    if (settings.propagation !== 'mean') return attention(h, i, layer);
    const states = near[i]!.map(({ j }) => h[j]!);
    return scaled(total(states, settings.size), 1 / Math.max(states.length, 1));
  };
  return h.map((_, i) => rowOf(i).map(Math.tanh));
}

function states(start: Matrix, encoder: string, layer: Omit<Layer, 'name'>): Matrix[] {
  const found = [start.map((row) => row.map(Math.tanh))];
  for (let l = 0; l < layer.settings.layers; l += 1) {
    found.push(nextState(found.at(-1)!, { ...layer, name: `${encoder}.#.layer${l}` }));
  }
  return found;
}

interface Local {
  /** z / |z| of each modality at hand, with its name and its column of the mask. */
  readonly parts: readonly { readonly name: string; readonly z: Matrix }[];
  readonly available: Matrix;
}

function encode({ features, available }: TwinInputs, p: Values): Local {
  const parts = names.flatMap((name, slot) => {
    const table = features[slot];
    if (table === null || table === undefined) return [];
    const weight = matrix(p, `${name}.weight`);
    const z = table.map((x) => plus(times(x, weight), vector(p, `${name}.bias`)));
    return [{ name, z }];
  });
  return { parts, available };
}

function weightsOf({ parts, available }: Local, p: Values, settings: Settings): Matrix {
  return available.map((row, i) => {
    const scores = parts.map(({ z }) =>
      settings.modalityWeights === 'uniform'
        ? 0
        : dot(vector(p, 'modalityQuery'), z[i]!.map(Math.tanh)),
    );
    const shares = scores.map((score, m) => (row[m] === 0 ? 0 : Math.exp(score)));
    return scaled(shares, 1 / (sum(shares) || 1));
  });
}

/** `b + sum_k c_k prod_m ([1 ; x_m] W_m^(k))` as a function of the x of one entity. */
function lowRank({ parts }: Local, p: Values): (x: Matrix) => number[] {
  const bias = vector(p, 'fusion.bias');
  const coefficients = vector(p, 'fusion.rankWeight');
  const factors = parts.map(({ name }) => matrix(p, `fusion.factor.${name}`));
  const rows = bias.length + 1;
  return (x) => {
    const terms = coefficients.map((coefficient, k) => {
      const products = factors.map((factor, m) =>
        times([1, ...x[m]!], factor.slice(k * rows, (k + 1) * rows)),
      );
      return bias.map((_, d) => coefficient * products.reduce((all, part) => all * part[d]!, 1));
    });
    return terms.reduce(plus, bias);
  };
}

function fuse(local: Local, p: Values, settings: Settings): Matrix {
  const products = settings.fusion === 'low-rank' ? lowRank(local, p) : null;
  const alpha = weightsOf(local, p, settings);
  return alpha.map((row, i) => {
    const x = local.parts.map(({ z }, m) => scaled(unit(z[i]!), row[m]!));
    if (settings.fusion === 'sum') return x.reduce(plus);
    if (products !== null) return products(x);
    return plus(
      times(x.flat(), matrix(p, 'concatenation.weight')),
      vector(p, 'concatenation.bias'),
    );
  });
}

function output(f: number[], p: Values, { fusionOutput }: Settings): number[] {
  if (fusionOutput === 'none') return f;
  if (fusionOutput === 'softmax') return softmax(f);
  const mean = sum(f) / f.length;
  const variance = sum(f.map((x) => (x - mean) ** 2)) / f.length;
  const [gain, bias] = [vector(p, 'fusion.norm.gain'), vector(p, 'fusion.norm.bias')];
  return f.map((x, d) => (gain[d]! * (x - mean)) / Math.sqrt(variance + 1e-5) + bias[d]!);
}

function early({ parts, available }: Local, p: Values): Matrix {
  const shares = softmax(vector(p, 'earlyWeights'));
  return available.map((row, i) =>
    parts.flatMap(({ name, z }, m) => scaled(unit(z[i]!), row[m]! * shares[names.indexOf(name)]!)),
  );
}

function matched(o: number[], p: Values): number[] {
  const proxies = matrix(p, 'proxy.vectors');
  const beta = softmax(proxies.map((proxy) => dot(unit(o), unit(proxy))));
  const rest = o.map((x, d) => x - sum(proxies.map((proxy, k) => beta[k]! * proxy[d]!)));
  const logits = plus(times(rest, matrix(p, 'proxy.gate.weight')), vector(p, 'proxy.gate.bias'));
  const gate = logits.map((x) => 1 / (1 + Math.exp(-x)));
  return o.map((x, d) => gate[d]! * x + (1 - gate[d]!) * rest[d]!);
}

/** Final embeddings of all entities. */
export function twinEmbeddings(inputs: TwinInputs, p: Values, settings: Settings): Matrix {
  const near = neighboursOf(inputs);
  const layer = { p, settings, near, normals: setVectors(near, p, settings) };
  const blocks: Matrix[] = [];
  if (settings.encoders !== 'joint') {
    const entity = matrix(p, 'entity');
    const mean = near.map((row, i) => {
      const around = [...new Set([i, ...row.map(({ j }) => j)])];
      return scaled(
        total(
          around.map((j) => entity[j]!),
          settings.size,
        ),
        1 / around.length,
      );
    });
    blocks.push(...states(mean, 'structure', layer));
  }
  if (settings.encoders !== 'structure') {
    const local = encode(inputs, p);
    blocks.push(early(local, p).map((row) => row.map(Math.tanh)));
    if (settings.fusion !== 'early-only') {
      const fused = fuse(local, p, settings).map((f) => output(f, p, settings));
      blocks.push(...states(fused, 'joint', layer).slice(1));
    }
  }
  const o = near.map((_, i) => blocks.flatMap((block) => block[i]!));
  return settings.proxies === 0 ? o : o.map((row) => matched(row, p));
}
