/**
 * How much the loss of responses hangs on each single weight, by its gradient (SNIP).
 */
import { tf } from '@lab/tensor';
import {
  type Captured,
  checkpointFolder,
  type FamilyModel,
  headSlices,
  hookGradients,
  loadModel,
  type Model,
  readModelConfig,
} from '@lab/transformer';
import { type CalibrationRow, type LinearWeight, linearWeights } from './linear-inputs.js';

/** Scores of weights by their name in the files, `[out, in]` row-major. */
export type WeightScores = ReadonlyMap<string, Float32Array>;

/**
 * Scores of all matrices of the blocks: mean over rows of `|W_oj dL/dW_oj|`, L the negative
 * log-probability of the counted tokens of a row, summed.
 *
 * The gradient by a matrix is the sum over tokens of the gradient by its outputs times its inputs.
 * Each counted token is a text of its own, which ends before it: a row with many of them takes as
 * many passes side by side.
 * Source: Lee et al., SNIP; with losses of responses: Wei et al., Assessing the Brittleness of
 * Safety Alignment via Pruning and Low-Rank Modifications.
 *
 * @param rows - of prompts with their responses, `from` the first token of the response.
 */
export async function snipScores(
  path: string,
  rows: readonly CalibrationRow[],
  signal?: AbortSignal,
): Promise<WeightScores> {
  const model = await loadModel(path);
  try {
    const family = readModelConfig(checkpointFolder(path));
    const weights = linearWeights(family, model.parts.checkpoint);
    const scores = new Map<string, Float32Array>();
    for (const row of rows) {
      const passes = await rowPasses(model, row, { weights, signal });
      for (const weight of weights) {
        const outputs = outputGradients(family, model, { weight, passes });
        const own = await weightProducts(model, { weight, passes, outputs });
        const sum = scores.get(weight.fileName) ?? new Float32Array(own.length);
        scores.set(weight.fileName, sum);
        own.forEach((value, at) => {
          sum[at]! += value / rows.length;
        });
      }
    }
    return scores;
  } finally {
    model.dispose();
  }
}

/** Inputs and gradients of one row: of each text and token, by place. */
interface RowPasses {
  readonly gradients: ReadonlyMap<string, Captured>;
  readonly inputs: ReadonlyMap<string, Captured>;
  /** 1 for a token, 0 for padding, `[B T]`. */
  readonly mask: Float32Array;
}

async function rowPasses(
  model: Model,
  { ids, from = 1 }: CalibrationRow,
  {
    weights,
    signal,
  }: { readonly weights: readonly LinearWeight[]; readonly signal: AbortSignal | undefined },
): Promise<RowPasses> {
  const first = Math.max(from, 1);
  const targets = ids.slice(first);
  const length = ids.length - 1;
  const fill = (count: number, value: number) => Array.from({ length: count }, () => value);
  // Text b ends before token first + b, which it is to predict.
  const prefixes = targets.map((_, at) => ids.slice(0, first + at));
  const batch = {
    ids: prefixes.map((own) => [...fill(length - own.length, ids[0]!), ...own]),
    mask: prefixes.map((own) => [...fill(length - own.length, 0), ...own.map(() => 1)]),
  };
  const places = new Set(weights.map(({ input }) => input));
  const result = await model.forward({
    ...{ ...batch, signal, logits: 'none' },
    capture: (name) => places.has(name),
  });
  result.dispose();
  const gradients = await hookGradients(model, {
    ...{ ...batch, signal },
    places: OUTPUTS,
    outputGradients: (logits) => surpriseGradients(logits, targets),
  });
  return { gradients, inputs: result.captured, mask: Float32Array.from(batch.mask.flat()) };
}

/** Places of what matrices give. */
const OUTPUTS =
  /\.attn\.hook_(q|k|v|out)$|\.hook_attn_out$|\.mlp\.hook_(pre|pre_linear|out)$|\.hook_mlp_out$/;

/** Gradient of `-log p(target)` by the logits: `p`, less 1 at the target, `[1, B, V]`. */
function surpriseGradients({ shape, data }: Captured, targets: readonly number[]): Captured {
  const size = shape[1]!;
  const found = new Float32Array(data.length);
  targets.forEach((target, text) => {
    const own = data.subarray(text * size, (text + 1) * size);
    let most = -Infinity;
    for (const logit of own) if (logit > most) most = logit;
    let sum = 0;
    for (const logit of own) sum += Math.exp(logit - most);
    own.forEach((logit, token) => {
      found[text * size + token] = Math.exp(logit - most) / sum - (token === target ? 1 : 0);
    });
  });
  return { shape: [1, ...shape], data: found };
}

interface WeightPasses {
  readonly weight: LinearWeight;
  readonly passes: RowPasses;
}

/** Gradients by the outputs of a matrix in the order in which it is stored, `[B T, out]`. */
function outputGradients(
  family: FamilyModel,
  model: Model,
  { weight, passes }: WeightPasses,
): Float32Array {
  const { checkpoint } = model.parts;
  const { headCount, keyValueHeadCount, headWidth, hasPostNorms, isGated } = family.architecture;
  const shape = checkpoint.weights.get(weight.fileName)!.shape as [number, number];
  const outputs = weight.isInputMajor ? shape[1] : shape[0];
  const tokens = passes.mask.length;
  const found = new Float32Array(tokens * outputs);
  /** Puts columns of a place where their rows of the matrix are. */
  const put = (place: string, [column, start, count]: readonly [number, number, number]) => {
    const { data } = passes.gradients.get(`blocks.${weight.layer}.${place}`)!;
    const width = data.length / tokens;
    for (let token = 0; token < tokens; token += 1) {
      const own = data.subarray(token * width + column, token * width + column + count);
      found.set(own, token * outputs + start);
    }
  };
  const { names } = family.weights;
  const module = moduleOf(weight, family);
  if (module === names.output)
    put(hasPostNorms ? 'attn.hook_out' : 'hook_attn_out', [0, 0, outputs]);
  else if (module === names.down)
    put(hasPostNorms ? 'mlp.hook_out' : 'hook_mlp_out', [0, 0, outputs]);
  else if (weight.part === 'mlp') {
    const { gateUp } = names;
    const half = 'fused' in gateUp ? outputs / 2 : outputs;
    const isGate = 'fused' in gateUp || module === gateUp.gate || !isGated;
    if (isGate) put('mlp.hook_pre', [0, 0, half]);
    if ('fused' in gateUp) put('mlp.hook_pre_linear', [0, half, half]);
    else if (!isGate) put('mlp.hook_pre_linear', [0, 0, outputs]);
  } else {
    const slices = headSlices(family, checkpoint);
    for (const site of ['q', 'k', 'v'] as const) {
      const count = site === 'q' ? headCount : keyValueHeadCount;
      for (let head = 0; head < count; head += 1) {
        const granularity = site === 'q' ? 'query-head' : 'kv-group';
        const [slice] = slices.of({ layer: weight.layer, head, site, granularity });
        if (slice!.name !== weight.fileName) continue;
        put(`attn.hook_${site}`, [head * headWidth, slice!.start, headWidth]);
      }
    }
  }
  return found;
}

/** Name of the module in its block. */
function moduleOf({ name }: LinearWeight, { weights }: FamilyModel): string {
  const { names } = weights;
  const all = [
    ...[names.output, names.down],
    ...Object.values(names.gateUp as Readonly<Record<string, string | null>>),
  ];
  return all.find((module) => module !== null && name.endsWith(`.${module}.weight`)) ?? '';
}

/** `|W dL/dW|` of a matrix, `[out, in]`. */
async function weightProducts(
  model: Model,
  { weight, passes, outputs }: WeightPasses & { readonly outputs: Float32Array },
): Promise<Float32Array> {
  const { checkpoint } = model.parts;
  const { fileName, isInputMajor, input } = weight;
  const shape = checkpoint.weights.get(fileName)!.shape as [number, number];
  const matrix = await checkpoint.read(fileName);
  const { mask, inputs } = passes;
  const products = tf.tidy(() => {
    const x = tf.tensor2d(inputs.get(input)!.data, [
      mask.length,
      isInputMajor ? shape[0] : shape[1],
    ]);
    const counted = tf.mul(x, tf.tensor2d(mask, [mask.length, 1])) as tf.Tensor2D;
    const g = tf.tensor2d(outputs, [mask.length, isInputMajor ? shape[1] : shape[0]]);
    const stored = tf.tensor2d(matrix, shape);
    const own = isInputMajor ? tf.transpose(stored) : stored;
    return tf.abs(tf.mul(own, tf.matMul(g, counted, true)));
  });
  const values = Float32Array.from((await products.data()) as Float32Array);
  products.dispose();
  return values;
}
