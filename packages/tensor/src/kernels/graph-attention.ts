import { runKernel } from '../engine.js';
import { registerRule, type RuleInput } from '../gradients/rule.js';
import type { CsrTensors } from '../ops/csr.js';
import type { tf } from '../tfjs.js';
import {
  blockOf,
  type KernelCall,
  NUMBER_BYTES,
  partWork,
  registerWasmKernel,
  scaleValues,
} from './call.js';
import {
  patternProduct,
  permuteEntries,
  rowWork,
  type SparsePattern,
  transposed,
} from './sparse.js';

interface AttentionSizes {
  readonly csr: CsrTensors;
  readonly nodes: number;
  readonly width: number;
  readonly heads: number;
}

function sizesOf(call: KernelCall): AttentionSizes {
  const csr = call.attribute<CsrTensors>('csr');
  const width = call.input('features').shape[1] as number;
  const heads = call.input('targetScores').shape[1] as number;
  return { csr, nodes: csr.rowCount, width, heads };
}

function coefficients(call: KernelCall, { csr, heads }: AttentionSizes): tf.TensorInfo {
  const output = call.output([csr.entryCount, heads]);
  const tensors = [csr.rowPointers, csr.columns, call.input('targetScores')];
  const before = [...tensors, call.input('sourceScores')].map(call.address);
  const slopes = [call.attribute<number>('positiveSlope'), call.attribute<number>('negativeSlope')];
  const work = { kernel: 'attention_coefficients', ...rowWork(csr, 4 * heads) };
  call.runBlocks(work, heads, ...before, ...slopes, call.address(output));
  return output;
}

/** Product with the mean of the heads' coefficients: the layer without head weights. */
function collectMean(
  call: KernelCall,
  pattern: SparsePattern,
  {
    dense,
    values,
    entries,
    heads,
  }: { dense: tf.TensorInfo; values: number; entries: number; heads: number },
): tf.TensorInfo {
  if (heads === 1) return patternProduct(call, pattern, { dense, values });
  return call.temporary(entries * NUMBER_BYTES, (address) => {
    const work = { kernel: 'attention_head_mean', count: entries, block: blockOf(1 + heads) };
    call.runBlocks(work, heads, values, address);
    return patternProduct(call, pattern, { dense, values: address });
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
  const { csr, heads } = sizes;
  const shares = coefficients(call, sizes);
  const output = collectMean(call, csr, {
    dense: call.input('features'),
    values: call.address(shares),
    entries: csr.entryCount,
    heads,
  });
  return [output, shares];
}

function weightedAttention(call: KernelCall): tf.TensorInfo[] {
  const sizes = sizesOf(call);
  const { csr, nodes, width, heads } = sizes;
  const shares = coefficients(call, sizes);
  const output = call.output([nodes, width]);
  const tensors = [csr.rowPointers, csr.columns, shares, call.input('features')];
  const before = tensors.map(call.address);
  const work = { kernel: 'attention_collect', ...rowWork(csr, width) };
  withScaledWeights(call, sizes, (weights) => {
    const values = [...before, weights, call.address(output), 0, 0, work.block];
    call.runBlocks(work, width, heads, ...values);
  });
  return [output, shares];
}

/** Gradients of target and source scores; `weights` is the address of scaled weights, or 0. */
function scoreGradients(call: KernelCall, weights: number): tf.TensorInfo[] {
  const { csr, nodes, width, heads } = sizesOf(call);
  const target = call.output([nodes, heads]);
  const source = call.output([nodes, heads]);
  const { transpose, rowPointers, columns } = csr;
  const pattern = [rowPointers, columns, call.input('targetScores'), call.input('sourceScores')];
  const slopes = [call.attribute<number>('positiveSlope'), call.attribute<number>('negativeSlope')];
  const [shares = 0, x = 0, dy = 0] = ['coefficients', 'features', 'dy']
    .map(call.input)
    .map(call.address);
  const entryBytes = csr.entryCount * heads * NUMBER_BYTES;
  const bytesPerThread = heads * width * NUMBER_BYTES;
  call.temporary(entryBytes + call.kernels.threads * bytesPerThread, (entries) => {
    const scratch = { address: entries + entryBytes, bytesPerThread };
    const sides = [...pattern.map(call.address), ...slopes, shares, weights, x, dy];
    const work = { kernel: 'attention_scores_backward', ...rowWork(csr, width), scratch };
    call.runBlocks(work, width, heads, ...sides, call.address(target), entries);
    const places = [transpose.rowPointers, transpose.permutation].map(call.address);
    const sums = { kernel: 'csr_sum_entries', ...rowWork(transposed(csr), heads) };
    call.runBlocks(sums, heads, ...places, entries, call.address(source));
  });
  return [target, source];
}

function attentionScoreGradient(call: KernelCall): tf.TensorInfo[] {
  return scoreGradients(call, 0);
}

function weightedScoreGradient(call: KernelCall): tf.TensorInfo[] {
  return withScaledWeights(call, sizesOf(call), (weights) => scoreGradients(call, weights));
}

function featureGradient(call: KernelCall): tf.TensorInfo {
  const csr = call.attribute<CsrTensors>('csr');
  const shares = call.input('coefficients');
  const heads = shares.shape[1] as number;
  return call.temporary(csr.entryCount * heads * NUMBER_BYTES, (values) => {
    permuteEntries(call, csr, { values: call.address(shares), width: heads, address: values });
    const options = { dense: call.input('dy'), values, entries: csr.entryCount, heads };
    return collectMean(call, transposed(csr), options);
  });
}

/** Gradients of features and head weights, in one pass over the transposed pattern. */
function weightedFeatureGradient(call: KernelCall): tf.TensorInfo[] {
  const sizes = sizesOf(call);
  const { csr, nodes, width, heads } = sizes;
  const features = call.output([nodes, width]);
  const headWeights = call.output([heads, width]);
  const pattern = transposed(csr);
  const [pointers = 0, targets = 0, dy = 0] = [
    pattern.rowPointers,
    pattern.columns,
    call.input('dy'),
  ].map(call.address);
  const [x = 0, dx = 0, dw = 0] = [call.input('features'), features, headWeights].map(call.address);
  const work = {
    kernel: 'attention_collect',
    ...partWork(nodes, (width * csr.entryCount) / Math.max(nodes, 1)),
  };
  const parts = Math.ceil(work.count / work.block);
  const size = heads * width;
  const entryBytes = csr.entryCount * heads * NUMBER_BYTES;
  call.temporary(entryBytes + parts * size * NUMBER_BYTES, (values) => {
    const address = call.address(call.input('coefficients'));
    permuteEntries(call, csr, { values: address, width: heads, address: values });
    const partial = values + entryBytes;
    withScaledWeights(call, sizes, (weights) => {
      const given = [pointers, targets, values, dy, weights, dx, x, partial, work.block];
      call.runBlocks(work, width, heads, ...given);
    });
    call.run('sum_parts', parts, size, partial, dw);
  });
  scaleValues(call, size, { from: dw, factor: 1 / heads, to: dw });
  return [features, headWeights];
}

const ATTRIBUTES = ['csr', 'positiveSlope', 'negativeSlope'] as const;

/** Gradients of all inputs; what several of them share is computed once, here. */
function attentionRule(input: RuleInput): Record<string, () => tf.Tensor> {
  const [features, targetScores, sourceScores, coefficients] = input.saved as tf.Tensor[];
  const tensors = { features, targetScores, sourceScores, coefficients, dy: input.dy };
  const attributes = Object.fromEntries(ATTRIBUTES.map((name) => [name, input.attribute(name)]));
  const run = (name: string) => runKernel(name, tensors as tf.NamedTensorMap, attributes);
  const [target, source] = run('LabGraphAttentionScoreGradient');
  return {
    features: () => run('LabGraphAttentionFeatureGradient')[0] as tf.Tensor,
    targetScores: () => target as tf.Tensor,
    sourceScores: () => source as tf.Tensor,
  };
}

function weightedRule(input: RuleInput): Record<string, () => tf.Tensor> {
  const [features, targetScores, sourceScores, headWeights, coefficients] = input.saved;
  const tensors = { features, targetScores, sourceScores, headWeights, coefficients, dy: input.dy };
  const attributes = Object.fromEntries(ATTRIBUTES.map((name) => [name, input.attribute(name)]));
  const run = (name: string) => runKernel(name, tensors as tf.NamedTensorMap, attributes);
  const [target, source] = run('LabGraphAttentionWeightedScoreGradient');
  const [sent, weights] = run('LabGraphAttentionWeightedFeatureGradient');
  return {
    features: () => sent as tf.Tensor,
    targetScores: () => target as tf.Tensor,
    sourceScores: () => source as tf.Tensor,
    headWeights: () => weights as tf.Tensor,
  };
}

/** Registers graph attention and its gradients. */
export function installGraphAttention(): void {
  const kernels = {
    LabGraphAttention: attention,
    LabGraphAttentionWeighted: weightedAttention,
    LabGraphAttentionScoreGradient: attentionScoreGradient,
    LabGraphAttentionFeatureGradient: featureGradient,
    LabGraphAttentionWeightedScoreGradient: weightedScoreGradient,
    LabGraphAttentionWeightedFeatureGradient: weightedFeatureGradient,
  };
  for (const [name, compute] of Object.entries(kernels)) registerWasmKernel({ name, compute });
  const outputs = [false, true];
  const inputs = ['features', 'targetScores', 'sourceScores'];
  registerRule({ kernelName: 'LabGraphAttention', inputs, outputs, rule: attentionRule });
  registerRule({
    kernelName: 'LabGraphAttentionWeighted',
    inputs: [...inputs, 'headWeights'],
    outputs,
    rule: weightedRule,
  });
}
