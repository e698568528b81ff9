import { runKernel } from '../engine.js';
import { registerRule, type RuleInput } from '../gradients/rule.js';
import type { BlockWork } from '../thread-pool.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel } from './call.js';

/** Queries and keys of a block, as in the C file. */
const QUERY_BLOCK = 96;
const KEY_BLOCK = 256;
/** Pieces of work below which the keys of a head are cut, for threads to share. */
const FEW_PIECES = 8;

interface AttentionSizes {
  readonly heads: number;
  readonly length: number;
  readonly width: number;
  readonly kvHeads: number;
  readonly keys: number;
  readonly valueWidth: number;
}

function sizesOf(call: KernelCall): AttentionSizes {
  const [heads, length, width] = call.input('q').shape as [number, number, number];
  const [kvHeads, keys, valueWidth] = call.input('v').shape as [number, number, number];
  return { heads, length, width, kvHeads, keys, valueWidth };
}

/** What both C functions take first. */
function shapeValues(call: KernelCall, sizes: AttentionSizes): number[] {
  const { heads, length, width, kvHeads, keys, valueWidth } = sizes;
  const maskRows = call.input('keyMask').shape[0] as number;
  return [
    ...[length, keys, width, valueWidth, heads / kvHeads],
    ...[Number(call.attribute<boolean>('causal')), call.attribute<number>('queryOffset')],
    ...[heads / maskRows, call.attribute<number>('scale')],
  ];
}

/** Runs blocks of one item, each thread with the scratch that attention needs. */
function runItems(call: KernelCall, work: Omit<BlockWork, 'block' | 'scratch'>, values: number[]) {
  const bytesPerThread = call.run('attention_scratch_bytes');
  call.temporary(bytesPerThread * call.kernels.threads, (address) =>
    call.runBlocks({ ...work, block: 1, scratch: { address, bytesPerThread } }, ...values),
  );
}

function attention(call: KernelCall): tf.TensorInfo[] {
  const sizes = sizesOf(call);
  const { heads, length, valueWidth } = sizes;
  const outputs = [call.output([heads, length, valueWidth]), call.output([heads, length])];
  if (heads === 0) return outputs;
  const inputs = ['q', 'k', 'v', 'keyMask'].map(call.input);
  const values = [...shapeValues(call, sizes), ...[...inputs, ...outputs].map(call.address)];
  const count = heads * Math.ceil(length / QUERY_BLOCK);
  runItems(call, { kernel: 'attention', count }, values);
  return outputs;
}

/** Into how many stretches the keys of a head are cut, and the length of one. */
function chunksOf({ kvHeads, keys }: AttentionSizes): { chunks: number; chunk: number } {
  const wanted = Math.max(1, Math.ceil(FEW_PIECES / kvHeads));
  const blocks = Math.max(1, Math.ceil(keys / KEY_BLOCK));
  const chunk = KEY_BLOCK * Math.ceil(blocks / wanted);
  return { chunk, chunks: Math.max(1, Math.ceil(keys / chunk)) };
}

function attentionGradient(call: KernelCall): tf.TensorInfo[] {
  const sizes = sizesOf(call);
  const { heads, length, width, kvHeads, valueWidth } = sizes;
  const outputs = ['q', 'k', 'v'].map((name) => call.output(call.input(name).shape));
  if (heads === 0) return outputs;
  const { chunk, chunks } = chunksOf(sizes);
  const [dq = 0, dk = 0, dv = 0] = outputs.map(call.address);
  const inputs = ['q', 'k', 'v', 'keyMask', 'dy', 'logSums'].map(call.input).map(call.address);
  const queryValues = heads * length * width;
  const rows = heads * length;
  const partBytes = chunks > 1 ? chunks * queryValues * NUMBER_BYTES : 0;
  call.temporary(rows * NUMBER_BYTES + partBytes, (deltas) => {
    const pair = ['dy', 'output'].map(call.input).map(call.address);
    const deltaWork = { kernel: 'attention_deltas', count: rows, block: blockOf(2 * valueWidth) };
    call.runBlocks(deltaWork, valueWidth, ...pair, deltas);
    const parts = chunks > 1 ? deltas + rows * NUMBER_BYTES : dq;
    const cut = [...shapeValues(call, sizes), kvHeads, chunk];
    const values = [...cut, ...inputs, deltas, parts, dk, dv];
    runItems(call, { kernel: 'attention_backward', count: kvHeads * chunks }, values);
    if (chunks > 1) call.run('sum_parts', chunks, queryValues, parts, dq);
  });
  return outputs;
}

function attentionRule({ dy, saved, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  const [q, k, v, keyMask, output, logSums] = saved as tf.Tensor[];
  const inputs = { q, k, v, keyMask, output, logSums, dy } as tf.NamedTensorMap;
  const names = ['causal', 'queryOffset', 'scale'];
  const attributes = Object.fromEntries(names.map((name) => [name, attribute(name)]));
  const [dq, dk, dv] = runKernel('LabAttentionGradient', inputs, attributes) as tf.Tensor[];
  return {
    q: () => dq as tf.Tensor,
    k: () => dk as tf.Tensor,
    v: () => dv as tf.Tensor,
  };
}

/** Registers attention over scalar products and its gradient. */
export function installAttention(): void {
  registerOwnKernel({ name: 'LabAttention', compute: attention });
  registerOwnKernel({ name: 'LabAttentionGradient', compute: attentionGradient });
  registerRule({
    kernelName: 'LabAttention',
    inputs: ['q', 'k', 'v', 'keyMask'],
    outputs: [true, true],
    rule: attentionRule,
  });
}
