import { runKernel } from '../engine.js';
import { registerRule, type RuleInput } from '../gradients/rule.js';
import type { CsrTensors } from '../ops/csr.js';
import type { tf } from '../tfjs.js';
import type { BlockWork } from '../thread-pool.js';
import {
  blockOf,
  type KernelCall,
  NUMBER_BYTES,
  partWork,
  registerWasmKernel,
  scaleValues,
} from './call.js';
import { oneProduct, runProduct } from './matmul.js';
import { permuteEntries, rowWork, type SparsePattern, transposed } from './sparse.js';

interface AttentionSizes {
  readonly csr: CsrTensors;
  readonly nodes: number;
  readonly width: number;
  readonly heads: number;
}

function sizesOf(call: KernelCall): AttentionSizes {
  const csr = call.attribute<CsrTensors>('csr');
  const width = call.input('features').shape[1] as number;
  const heads = call.input('scoreVectors').shape[0] as number;
  return { csr, nodes: csr.rowCount, width, heads };
}

/** Scores `[N, K, 2]`: every row of features times the two vectors of every head. */
function scoresOf(call: KernelCall, { nodes, width, heads }: AttentionSizes): tf.TensorInfo {
  const output = call.output([nodes, heads, 2]);
  const [a = 0, b = 0] = ['features', 'scoreVectors'].map(call.input).map(call.address);
  const sizes = { m: nodes, n: 2 * heads, k: width, ...oneProduct };
  runProduct(call, sizes, { a, b, to: call.address(output), transposeA: 0, transposeB: 1 });
  return output;
}

function slopesOf(call: KernelCall): number[] {
  return [call.attribute<number>('positiveSlope'), call.attribute<number>('negativeSlope')];
}

function coefficients(
  call: KernelCall,
  { csr, heads }: AttentionSizes,
  scores: tf.TensorInfo,
): tf.TensorInfo {
  const output = call.output([csr.entryCount, heads]);
  const before = [csr.rowPointers, csr.columns, scores].map(call.address);
  const work = { kernel: 'attention_coefficients', ...rowWork(csr, 4 * heads) };
  call.runBlocks(work, heads, ...before, ...slopesOf(call), call.address(output));
  return output;
}

/** What collecting over the rows of a pattern reads besides the entries; addresses, 0 for none. */
interface Collection {
  readonly pattern: SparsePattern;
  readonly dense: tf.TensorInfo;
  /** `[E, heads]`. */
  readonly coefficients: number;
  readonly heads: number;
  readonly weights: number;
  readonly sent: number;
  /** `[blocks, K, width]`: the parts of the weights' gradient. */
  readonly weightGradients: number;
  readonly vectorCount: number;
  readonly factors: number;
  readonly vectors: number;
}

const plainCollection = {
  ...{ weights: 0, sent: 0, weightGradients: 0, vectorCount: 0, factors: 0, vectors: 0 },
};

/** Rows as items, in at most 64 blocks when each has a part of the weights' gradient. */
function collectWork(pattern: SparsePattern, width: number, hasParts: boolean) {
  if (!hasParts) return rowWork(pattern, width);
  const { rowCount, columns } = pattern;
  return partWork(rowCount, (width * columns.size) / Math.max(rowCount, 1));
}

function collect(call: KernelCall, given: Collection): tf.TensorInfo {
  const { pattern, dense, heads, weights, sent, weightGradients } = given;
  const width = dense.shape[1] as number;
  const output = call.output([pattern.rowCount, width]);
  const places = [pattern.rowPointers, pattern.columns].map(call.address);
  const cut = collectWork(pattern, width, weightGradients !== 0);
  const { vectorCount, factors, vectors } = given;
  withRowScratch(call, heads * width, (scratch) => {
    call.runBlocks(
      { kernel: 'attention_collect', ...cut, scratch },
      ...[width, heads, ...places, given.coefficients, call.address(dense), weights, sent],
      ...[weightGradients, cut.block, vectorCount, factors, vectors, call.address(output)],
    );
  });
  return output;
}

/** Runs `body` with scratch of that many floats for each thread. */
function withRowScratch<T>(
  call: KernelCall,
  floats: number,
  body: (scratch: NonNullable<BlockWork['scratch']>) => T,
): T {
  const bytesPerThread = floats * NUMBER_BYTES;
  return call.temporary(call.kernels.threads * bytesPerThread, (address) =>
    body({ address, bytesPerThread }),
  );
}

/** Collects with the mean of the heads' coefficients: the layer without head weights. */
function collectMean(call: KernelCall, given: Collection): tf.TensorInfo {
  const { heads, coefficients: values, pattern } = given;
  if (heads === 1) return collect(call, given);
  const count = pattern.columns.size;
  return call.temporary(count * NUMBER_BYTES, (address) => {
    const work = { kernel: 'attention_head_mean', count, block: blockOf(1 + heads) };
    call.runBlocks(work, heads, values, address);
    return collect(call, { ...given, heads: 1, coefficients: address });
  });
}

/** Runs `body` with the address of the head weights divided by the number of heads. */
function withScaledWeights<T>(
  call: KernelCall,
  { width, heads }: AttentionSizes,
  body: (address: number) => T,
): T {
  const weights = call.address(call.input('headWeights'));
  return call.temporary(width * heads * NUMBER_BYTES, (address) => {
    scaleValues(call, width * heads, { from: weights, factor: 1 / heads, to: address });
    return body(address);
  });
}

function attention(call: KernelCall): tf.TensorInfo[] {
  const sizes = sizesOf(call);
  const scores = scoresOf(call, sizes);
  const shares = coefficients(call, sizes, scores);
  const given = {
    ...plainCollection,
    ...{ pattern: sizes.csr, dense: call.input('features'), heads: sizes.heads },
    coefficients: call.address(shares),
  };
  if (call.input('headWeights') === undefined) return [collectMean(call, given), shares, scores];
  const output = withScaledWeights(call, sizes, (weights) => collect(call, { ...given, weights }));
  return [output, shares, scores];
}

/** Gradient of the scores `[N, K, 2]`; `weights` is the address of scaled weights, or 0. */
function scoreGradient(call: KernelCall, weights: number): tf.TensorInfo {
  const { csr, nodes, width, heads } = sizesOf(call);
  const output = call.output([nodes, heads, 2]);
  const { transpose, rowPointers, columns } = csr;
  const before = [rowPointers, columns, call.input('scores')].map(call.address);
  const [shares = 0, dy = 0, to = 0] = [call.input('coefficients'), call.input('dy'), output].map(
    call.address,
  );
  call.temporary(csr.entryCount * heads * NUMBER_BYTES, (entries) => {
    const x = call.address(call.input('features'));
    const values = [...before, ...slopesOf(call), shares, weights, x, dy, to, entries];
    withRowScratch(call, heads * width, (scratch) => {
      const work = { kernel: 'attention_scores_backward', ...rowWork(csr, width), scratch };
      call.runBlocks(work, width, heads, ...values);
    });
    const places = [transpose.rowPointers, transpose.permutation].map(call.address);
    const sums = { kernel: 'csr_sum_entries', ...rowWork(transposed(csr), heads) };
    call.runBlocks(sums, heads, ...places, entries, to + NUMBER_BYTES, 2 * heads, 2);
  });
  return output;
}

/** Gradients of features, score vectors and, with them, head weights. */
function gradients(call: KernelCall, weights: number): tf.TensorInfo[] {
  const { csr, width, heads } = sizesOf(call);
  const scores = scoreGradient(call, weights);
  const size = heads * width;
  const { count, block } = collectWork(transposed(csr), width, true);
  const blocks = Math.ceil(count / block);
  const entryBytes = csr.entryCount * heads * NUMBER_BYTES;
  const partBytes = weights === 0 ? 0 : blocks * size * NUMBER_BYTES;
  const results = call.temporary(entryBytes + partBytes, (values) => {
    const address = call.address(call.input('coefficients'));
    permuteEntries(call, csr, { values: address, width: heads, address: values });
    const given = {
      ...{ ...plainCollection, pattern: transposed(csr), dense: call.input('dy'), heads },
      ...{ coefficients: values, vectorCount: 2 * heads, factors: call.address(scores) },
      vectors: call.address(call.input('scoreVectors')),
    };
    if (weights === 0) return [collectMean(call, given)];
    const [sent, parts] = [call.address(call.input('features')), values + entryBytes];
    const features = collect(call, { ...given, weights, sent, weightGradients: parts });
    return [features, weightGradient(call, { parts, blocks, heads, width })];
  });
  const [features, ...rest] = results as [tf.TensorInfo, ...tf.TensorInfo[]];
  const vectors = vectorGradient(call, scores);
  call.kernels.backend.disposeData(scores.dataId);
  return [features, vectors, ...rest];
}

/** The mean over the heads of the sum of the blocks' parts, `[K, width]`. */
function weightGradient(
  call: KernelCall,
  { parts, blocks, heads, width }: Readonly<Record<'parts' | 'blocks' | 'heads' | 'width', number>>,
): tf.TensorInfo {
  const output = call.output([heads, width]);
  const to = call.address(output);
  call.run('sum_parts', blocks, heads * width, parts, to);
  scaleValues(call, heads * width, { from: to, factor: 1 / heads, to });
  return output;
}

/** Gradient of the score vectors `[K, 2, width]`: scores' gradient, transposed, times features. */
function vectorGradient(call: KernelCall, scores: tf.TensorInfo): tf.TensorInfo {
  const { nodes, width, heads } = sizesOf(call);
  const output = call.output([heads, 2, width]);
  const [a = 0, b = 0, to = 0] = [scores, call.input('features'), output].map(call.address);
  const sizes = { m: 2 * heads, n: width, k: nodes, ...oneProduct };
  runProduct(call, sizes, { a, b, to, transposeA: 1, transposeB: 0 });
  return output;
}

function attentionGradients(call: KernelCall): tf.TensorInfo[] {
  if (call.input('headWeights') === undefined) return gradients(call, 0);
  return withScaledWeights(call, sizesOf(call), (weights) => gradients(call, weights));
}

const ATTRIBUTES = ['csr', 'positiveSlope', 'negativeSlope'] as const;
const INPUTS = ['features', 'scoreVectors'] as const;

/** The rule of the layer with these inputs: all gradients at once, from what was saved. */
function ruleOf(inputs: readonly string[]) {
  return (input: RuleInput): Record<string, () => tf.Tensor> => {
    const names = [...inputs, 'coefficients', 'scores'];
    const saved = names.map((name, at) => [name, input.saved[at] as tf.Tensor]);
    const tensors = { ...Object.fromEntries(saved), dy: input.dy } as tf.NamedTensorMap;
    const attributes = Object.fromEntries(ATTRIBUTES.map((name) => [name, input.attribute(name)]));
    const found = runKernel('LabGraphAttentionGradient', tensors, attributes);
    return Object.fromEntries(inputs.map((name, at) => [name, () => found[at] as tf.Tensor]));
  };
}

/** Registers graph attention and its gradients. */
export function installGraphAttention(): void {
  registerWasmKernel({ name: 'LabGraphAttention', compute: attention });
  registerWasmKernel({ name: 'LabGraphAttentionWeighted', compute: attention });
  registerWasmKernel({ name: 'LabGraphAttentionGradient', compute: attentionGradients });
  const outputs = [false, true, true];
  for (const [kernelName, inputs] of [
    ['LabGraphAttention', [...INPUTS]],
    ['LabGraphAttentionWeighted', [...INPUTS, 'headWeights']],
  ] as const) {
    registerRule({ kernelName, inputs: [...inputs], outputs, rule: ruleOf(inputs) });
  }
}
