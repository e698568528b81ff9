/**
 * The optimiser of a training: AdamW with weight decay for matrices alone.
 */
import { type AdamW, type AdamWStateArray, createAdamW, type Parameters, tf } from '@lab/tensor';
import type { WritableArray } from '@lab/tensor/io';
import type { TrainingConfig } from './training-config.js';

/** Gradients by parameter name. */
export type Gradients = Record<string, tf.Tensor>;

/** Norms, biases and tables of distances have no weight decay. */
const isDecayed = (name: string): boolean => !/\.(gain|bias|distances)$/.test(name);

/** AdamW for all parameters. */
export class TrainingOptimizer {
  private readonly decayed: AdamW;
  private readonly plain: AdamW;

  constructor(
    parameters: Parameters,
    { beta1, beta2, epsilon, weightDecay }: TrainingConfig['training'],
  ) {
    this.decayed = createAdamW(parameters, { beta1, beta2, epsilon, weightDecay });
    this.plain = createAdamW(parameters, { beta1, beta2, epsilon, weightDecay: 0 });
  }

  /** Changes the parameters, and frees the gradients one after the other. */
  step(gradients: Gradients, learningRate: number, factor: number): void {
    for (const [name, gradient] of Object.entries(gradients)) {
      const own = factor === 1 ? gradient : tf.mul(gradient, factor);
      const optimizer = isDecayed(name) ? this.decayed : this.plain;
      optimizer.step({ [name]: own }, learningRate);
      tf.dispose([own, gradient]);
    }
  }

  /** A copy of all moments. */
  async state(): Promise<Record<string, WritableArray>> {
    const [decayed, plain] = [await this.decayed.state(), await this.plain.state()];
    return Object.assign(decayed, plain);
  }

  /** Sets the moments from {@link TrainingOptimizer.state}'s form. */
  loadState(record: Readonly<Record<string, AdamWStateArray>>): void {
    const part = (wanted: boolean) =>
      Object.fromEntries(
        Object.entries(record).filter(
          ([name]) => isDecayed(name.slice(0, name.lastIndexOf('/'))) === wanted,
        ),
      );
    this.decayed.loadState(part(true), 0);
    this.plain.loadState(part(false), 0);
  }

  dispose(): void {
    this.decayed.dispose();
    this.plain.dispose();
  }
}

/** Adds gradients to those so far; both are given up. */
export function addedGradients(sums: Gradients | null, own: Gradients): Gradients {
  if (sums === null) return own;
  for (const [name, gradient] of Object.entries(own)) {
    const before = sums[name];
    if (before === undefined) {
      sums[name] = gradient;
      continue;
    }
    sums[name] = tf.add(before, gradient);
    tf.dispose([before, gradient]);
  }
  return sums;
}

/** The norm of all gradients together, `sqrt(sum_k |g_k|^2)`. */
export async function globalNorm(gradients: Gradients): Promise<number> {
  const squares = tf.tidy(() =>
    tf.stack(
      Object.values(gradients).map((gradient) => tf.tidy(() => tf.sum(tf.square(gradient)))),
    ),
  );
  const values = await squares.data<'float32'>();
  squares.dispose();
  return Math.sqrt(values.reduce((sum, value) => sum + value, 0));
}
