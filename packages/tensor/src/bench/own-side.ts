import { tf } from '../tfjs.js';
import type { PreparedOperation } from './operation.js';
import type { Sample } from './statistics.js';

/** Waits until the first value of a tensor is there, and so everything queued before it. */
async function synchronize(x: tf.Tensor): Promise<void> {
  const first = tf.tidy(() => tf.slice(tf.reshape(x, [-1]), [0], [1]));
  await first.data();
  first.dispose();
}

function asList(results: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(results) ? results : [results];
}

/**
 * The time of one repetition when an operation runs `count` times on the present backend.
 *
 * The results of a repetition are freed at its end; one value of the last is read.
 *
 * @param count - repetitions, at least 1.
 */
export async function sampleOperation(
  operation: PreparedOperation,
  count: number,
): Promise<Sample> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let left = count; left > 1; left--) tf.dispose(operation.run());
  const results = asList(operation.run());
  await synchronize(results[0] as tf.Tensor);
  tf.dispose(results);
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: wallMs / count, cpuMs: (user + system) / 1000 / count };
}
