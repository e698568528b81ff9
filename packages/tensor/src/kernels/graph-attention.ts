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
  registerOwnKernel,
  scaleValues,
} from './call.js';
import { matrixProduct } from './matmul.js';
import { rowWork, type SparsePattern, transposed } from './sparse.js';

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
  const [a, b] = [call.input('features'), call.input('scoreVectors')];
  const sizes = { m: nodes, n: 2 * heads, k: width, shape: [nodes, heads, 2] };
  return matrixProduct(call, { ...sizes, transposeA: false, transposeB: true }, { a, b });
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

/** What collecting over the rows of a pattern reads. */
interface Collection {
  readonly pattern: SparsePattern;
  readonly dense: tf.TensorInfo;
  /** Address of the coefficients `[E, heads]`. */
  readonly coefficients: number;
  readonly heads: number;
  /** Address of the head weights, 0 for none. */
  readonly weights: number;
}

function collect(call: KernelCall, given: Collection): tf.TensorInfo {
  const { pattern, dense, heads, weights } = given;
  const width = dense.shape[1] as number;
  const output = call.output([pattern.rowCount, width]);
  const places = [pattern.rowPointers, pattern.columns].map(call.address);
  withRowScratch(call, heads * width, (scratch) => {
    call.runBlocks(
      { kernel: 'attention_collect', ...rowWork(pattern, width), scratch },
      ...[width, heads, ...places, given.coefficients, call.address(dense), weights],
      call.address(output),
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
    ...{ pattern: sizes.csr, dense: call.input('features'), heads: sizes.heads, weights: 0 },
    coefficients: call.address(shares),
  };
  if (call.input('headWeights') === undefined) return [collectMean(call, given), shares, scores];
  const output = withScaledWeights(call, sizes, (weights) => collect(call, { ...given, weights }));
  return [output, shares, scores];
}

/** Nodes as items, in few blocks when each has a part of the weights' gradient. */
function senderWork(call: KernelCall, hasParts: boolean) {
  const { csr, width } = sizesOf(call);
  const pattern = transposed(csr);
  if (!hasParts) return rowWork(pattern, 2 * width);
  return partWork(
    call,
    pattern.rowCount,
    (2 * width * csr.entryCount) / Math.max(pattern.rowCount, 1),
  );
}

/** Room that the backward pass needs; addresses, 0 for none. */
interface BackwardRoom {
  /** Gradients of the entries, `[E, K]`. */
  readonly entries: number;
  /** Head weights divided by the number of heads. */
  readonly weights: number;
  /** Parts of the weights' gradient, one a block. */
  readonly parts: number;
}

/** What was sent: the features' gradient but for the scores, the entries' and the weights'. */
function sentGradient(call: KernelCall, { entries, weights, parts }: BackwardRoom): tf.TensorInfo {
  const { csr, nodes, width, heads } = sizesOf(call);
  const output = call.output([nodes, width]);
  const { rowPointers, columns, permutation } = csr.transpose;
  const names = ['coefficients', 'dy', 'features'];
  const inputs = [rowPointers, columns, permutation, ...names.map(call.input)].map(call.address);
  const cut = senderWork(call, weights !== 0);
  withRowScratch(call, 2 * heads * width, (scratch) => {
    call.runBlocks(
      { kernel: 'attention_sent', ...cut, scratch },
      ...[width, heads, ...inputs, weights, parts, cut.block, entries, call.address(output)],
    );
  });
  return output;
}

/** Gradient of the scores `[N, K, 2]` from those of the entries' coefficients. */
function scoreGradient(call: KernelCall, entries: number): tf.TensorInfo {
  const { csr, nodes, heads } = sizesOf(call);
  const output = call.output([nodes, heads, 2]);
  const to = call.address(output);
  const before = [csr.rowPointers, csr.columns, call.input('scores')].map(call.address);
  const shares = call.address(call.input('coefficients'));
  const work = { kernel: 'attention_softmax_backward', ...rowWork(csr, 4 * heads) };
  call.runBlocks(work, heads, ...before, ...slopesOf(call), shares, to, entries);
  const { rowPointers, permutation } = csr.transpose;
  const places = [rowPointers, permutation].map(call.address);
  const sums = { kernel: 'attention_source_sums', ...rowWork(transposed(csr), heads) };
  call.runBlocks(sums, heads, ...places, entries, to);
  return output;
}

/** Gradients of features, score vectors and, with them, head weights. */
function gradients(call: KernelCall, weights: number): tf.TensorInfo[] {
  const { csr, nodes, width, heads } = sizesOf(call);
  const { count, block } = senderWork(call, true);
  const blocks = Math.ceil(count / block);
  const entryBytes = csr.entryCount * heads * NUMBER_BYTES;
  const partBytes = weights === 0 ? 0 : blocks * heads * width * NUMBER_BYTES;
  return call.temporary(entryBytes + partBytes, (entries) => {
    const parts = entries + entryBytes;
    const features = sentGradient(call, { entries, weights, parts });
    const scores = scoreGradient(call, entries);
    const vectors = call.address(call.input('scoreVectors'));
    const work = { kernel: 'add_row_combinations', count: nodes, block: blockOf(3 * width) };
    const to = call.address(features);
    call.runBlocks(work, width, 2 * heads, call.address(scores), vectors, to);
    const found = [features, vectorGradient(call, scores)];
    call.kernels.memory.dispose(scores);
    if (weights !== 0) found.push(weightGradient(call, { parts, blocks, heads, width }));
    return found;
  });
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
  const sizes = { m: 2 * heads, n: width, k: nodes, shape: [heads, 2, width] };
  const factors = { a: scores, b: call.input('features') };
  return matrixProduct(call, { ...sizes, transposeA: true, transposeB: false }, factors);
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
  registerOwnKernel({ name: 'LabGraphAttention', compute: attention });
  registerOwnKernel({ name: 'LabGraphAttentionWeighted', compute: attention });
  registerOwnKernel({ name: 'LabGraphAttentionGradient', compute: attentionGradients });
  const outputs = [false, true, true];
  for (const [kernelName, inputs] of [
    ['LabGraphAttention', [...INPUTS]],
    ['LabGraphAttentionWeighted', [...INPUTS, 'headWeights']],
  ] as const) {
    registerRule({ kernelName, inputs: [...inputs], outputs, rule: ruleOf(inputs) });
  }
}
