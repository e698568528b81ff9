import { runKernel } from '../engine.js';
import { registerRule, type RuleInput } from '../gradients/rule.js';
import type { CsrTensors } from '../ops/csr.js';
import type { tf } from '../tfjs.js';
import { type KernelCall, registerWasmKernel } from './call.js';
import { patternProduct, permuteEntries, type SparsePattern, transposed } from './sparse.js';

const FLOAT_BYTES = 4;

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

function coefficients(call: KernelCall, { csr, nodes, heads }: AttentionSizes): tf.TensorInfo {
  const output = call.output([csr.entryCount, heads]);
  const tensors = [csr.rowPointers, csr.columns, call.input('targetScores')];
  const before = [...tensors, call.input('sourceScores')].map(call.address);
  const slopes = [call.attribute<number>('positiveSlope'), call.attribute<number>('negativeSlope')];
  call.run('attention_coefficients', nodes, heads, ...before, ...slopes, call.address(output));
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
  return call.temporary(entries * FLOAT_BYTES, (address) => {
    call.run('attention_head_mean', entries, heads, values, address);
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
  return call.temporary(width * heads * FLOAT_BYTES, (address) => {
    call.run('scale_values', width * heads, weights, 1 / heads, address);
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
  withScaledWeights(call, sizes, (weights) =>
    call.run(
      'attention_collect',
      nodes,
      width,
      heads,
      ...before,
      weights,
      call.address(output),
      0,
      0,
    ),
  );
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
  const entryBytes = csr.entryCount * heads * FLOAT_BYTES;
  call.temporary(entryBytes + heads * width * FLOAT_BYTES, (entries) => {
    const sides = [...pattern.map(call.address), ...slopes, shares, weights, x, dy];
    const results = [call.address(target), entries, entries + entryBytes];
    call.run('attention_scores_backward', nodes, width, heads, ...sides, ...results);
    const places = [transpose.rowPointers, transpose.permutation].map(call.address);
    call.run('csr_sum_entries', nodes, heads, ...places, entries, call.address(source));
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
  return call.temporary(csr.entryCount * heads * FLOAT_BYTES, (values) => {
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
  const shares = call.address(call.input('coefficients'));
  const { rowPointers, columns } = transposed(csr);
  const [pointers = 0, targets = 0, dy = 0] = [rowPointers, columns, call.input('dy')].map(
    call.address,
  );
  const [x = 0, dx = 0, dw = 0] = [call.input('features'), features, headWeights].map(call.address);
  call.temporary(csr.entryCount * heads * FLOAT_BYTES, (values) => {
    permuteEntries(call, csr, { values: shares, width: heads, address: values });
    withScaledWeights(call, sizes, (weights) => {
      const pattern = [pointers, targets, values, dy, weights];
      call.run('attention_collect', nodes, width, heads, ...pattern, dx, x, dw);
    });
  });
  call.run('scale_values', heads * width, dw, 1 / heads, dw);
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
