import { tf } from '../tfjs.js';
import type { JointGradient } from './joint-gradient.js';
import type { Labels } from './pair-problem.js';

/** One evaluation of InfoNCE. */
export interface InfoNceProblem {
  left: tf.Tensor2D;
  right: tf.Tensor2D;
  labels: Labels;
  temperature: number;
  bothDirections: boolean;
  blockRows: number;
  wantGradients: boolean;
}

interface Block {
  start: number;
  rows: tf.Tensor2D;
  /** Logits of the block's rows against all columns, [rows, B]. */
  logits: tf.Tensor2D;
}

/** InfoNCE and its gradients from stock tensor operations, a row block of logits at a time. */
export function composedInfoNce(problem: InfoNceProblem): JointGradient {
  const columnSums = problem.bothDirections ? columnLogSums(problem) : null;
  let total: tf.Scalar = tf.scalar(0);
  let right = tf.zerosLike(problem.right);
  const left: tf.Tensor2D[] = [];
  eachBlock(problem, (block) => {
    const part = blockPart(problem, block, columnSums);
    const previous = [total, right];
    total = tf.add(total, part.value);
    if (part.left && part.right) {
      left.push(part.left);
      right = tf.add(right, part.right);
    }
    return { dispose: previous, keep: { total, right, left: part.left ?? null } };
  });
  columnSums?.dispose();
  if (!problem.wantGradients) return { value: total, gradients: [] };
  return { value: total, gradients: [tf.concat(left, 0), right] };
}

type Visit = (block: Block) => { dispose: tf.Tensor[]; keep: Record<string, tf.Tensor | null> };

/** Visits all row blocks; what a visit keeps outlives it, the rest is disposed. */
function eachBlock({ left, right, temperature, blockRows }: InfoNceProblem, visit: Visit): void {
  for (let start = 0; start < left.shape[0]; start += blockRows) {
    let stale: tf.Tensor[] = [];
    tf.tidy(() => {
      const count = Math.min(blockRows, left.shape[0] - start);
      const rows = tf.slice(left, [start, 0], [count, -1]);
      const logits = tf.div(tf.matMul(rows, right, false, true), temperature) as tf.Tensor2D;
      const { dispose, keep } = visit({ start, rows, logits });
      const kept = Object.values(keep).filter((tensor) => tensor !== null);
      stale = dispose.filter((tensor) => !kept.includes(tensor));
      return kept;
    });
    tf.dispose(stale);
  }
}

/** Log-sum-exp of every column of the logits, [1, B]. */
function columnLogSums(problem: InfoNceProblem): tf.Tensor2D {
  let running: tf.Tensor2D | null = null;
  eachBlock(problem, ({ logits }) => {
    const block = tf.logSumExp(logits, 0, true) as tf.Tensor2D;
    const previous: tf.Tensor2D | null = running;
    const next: tf.Tensor2D =
      previous === null ? block : tf.logSumExp(tf.concat([previous, block], 0), 0, true);
    running = next;
    return { dispose: previous === null ? [] : [previous], keep: { next } };
  });
  return running as unknown as tf.Tensor2D;
}

function denseLabels({ columns, weights, perRow, rowSums }: Labels, block: Block): tf.Tensor2D {
  const width = rowSums.length;
  const count = block.rows.shape[0];
  const dense = new Float32Array(count * width);
  for (let row = 0; row < count; row += 1) {
    for (let k = 0; k < perRow; k += 1) {
      const source = (block.start + row) * perRow + k;
      const target = row * width + (columns[source] ?? 0);
      dense[target] = (dense[target] ?? 0) + (weights[source] ?? 0);
    }
  }
  return tf.tensor2d(dense, [count, width]);
}

/** Share of a row block in the loss and in both gradients. */
function blockPart(problem: InfoNceProblem, block: Block, columnSums: tf.Tensor2D | null) {
  const { labels, left, right, temperature } = problem;
  const target = denseLabels(labels, block);
  const targetSums = labels.rowSums.subarray(block.start, block.start + block.rows.shape[0]);
  const rowMass = tf.expandDims(tf.tensor1d(targetSums), 1);
  let logs: tf.Tensor = tf.sub(block.logits, tf.logSumExp(block.logits, 1, true)); // [rows, B]
  let excess: tf.Tensor = tf.sub(tf.mul(tf.exp(logs), rowMass), target);
  if (columnSums !== null) {
    const columnLogs = tf.sub(block.logits, columnSums);
    const columnMass = tf.tensor1d(labels.columnSums);
    logs = tf.add(logs, columnLogs);
    excess = tf.add(excess, tf.sub(tf.mul(tf.exp(columnLogs), columnMass), target));
  }
  const factor = 1 / (left.shape[0] * (columnSums === null ? 1 : 2));
  const value = tf.mul(tf.sum(tf.mul(logs, target)), -factor) as tf.Scalar;
  if (!problem.wantGradients) return { value };
  const slope = tf.mul(excess, factor / temperature) as tf.Tensor2D;
  const leftPart = tf.matMul(slope, right) as tf.Tensor2D;
  const rightPart = tf.matMul(slope, block.rows, true) as tf.Tensor2D;
  return { value, left: leftPart, right: rightPart };
}
