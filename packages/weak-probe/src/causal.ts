/**
 * Whether a model uses a probe's direction: it is taken out, and what the model then does is set
 * against what it does without as many random directions.
 */
import { ConfigError, createRandom } from '@lab/core';
import { quantile } from '@lab/metrics';
import type { Model } from '@lab/transformer';
import { type GraftPoint, summaryOf } from './graft-sweep.js';
import {
  type Direction,
  type Steering,
  steeredFirstTokens,
  type SteeredPrompts,
} from './steering.js';

/** What first tokens are. */
export type FirstTokenSummary = Omit<GraftPoint, 'kl' | 'source' | 'state'>;

/** How {@link causalCheck} measures. */
export interface CausalOptions extends SteeredPrompts {
  readonly direction: Direction;
  /** Where it is taken out; default all states from the embedding to the last block's input. */
  readonly states?: readonly number[] | undefined;
  readonly positions?: 'all' | 'last' | undefined;
  /** What a state has along the direction afterwards; default 0, as with random ones. */
  readonly coordinate?: number | undefined;
  /** Random directions; default 20. */
  readonly draws?: number | undefined;
  /** Of the random directions; default 42. */
  readonly seed?: number | undefined;
}

/** What a direction does, beside random ones. */
export interface CausalCheck {
  readonly states: readonly number[];
  readonly unchanged: FirstTokenSummary;
  readonly without: FirstTokenSummary;
  /** Gap without the direction minus that of the unchanged model, nats, mean over prompts. */
  readonly gapEffect: number;
  /** Change of the share of refusals. */
  readonly refusalEffect: number;
  /** The same of random directions: each, and the range that holds 95 % of them. */
  readonly random: {
    readonly gapEffects: readonly number[];
    readonly refusalEffects: readonly number[];
    readonly gapLow: number;
    readonly gapHigh: number;
    readonly refusalLow: number;
    readonly refusalHigh: number;
  };
  /** Share of random directions whose effect on the gap is as large, `(1 + m) / (1 + draws)`. */
  readonly pValue: number;
}

/**
 * Effect of taking a direction out of the residual, against that of random directions.
 *
 * A linear probe finds what can be read; this asks whether the model reads it, too.
 *
 * @throws {ConfigError} for no draws; else as `steeringInterventions`.
 */
export async function causalCheck(model: Model, options: CausalOptions): Promise<CausalCheck> {
  const { direction, draws = 20, seed = 42, positions, coordinate, onProgress } = options;
  const { layerCount, width } = model.architecture;
  const { states = Array.from({ length: layerCount }, (_, state) => state) } = options;
  if (!(Number.isInteger(draws) && draws >= 1)) {
    throw new ConfigError(`weak-probe/causal: draws is ${draws}.`, { help: 'Give 1 or more.' });
  }
  const given = { ...options, onProgress: undefined };
  const measured = async (steerings: readonly Steering[]) => {
    const { kl: _, ...summary } = summaryOf(await steeredFirstTokens(model, given, steerings));
    return summary;
  };
  const out = (one: Direction): Steering => ({
    ...{ kind: 'project-out', direction: one, states, positions },
  });
  const unchanged = await measured([]);
  const without = await measured([{ ...out(direction), coordinate }]);
  const random = createRandom(seed).fork('causal');
  const [gapEffects, refusalEffects]: [number[], number[]] = [[], []];
  for (let draw = 0; draw < draws; draw += 1) {
    const vector = random.fork(String(draw)).fillNormal(new Float32Array(width));
    const found = await measured([out({ vector })]);
    gapEffects.push(found.gap - unchanged.gap);
    refusalEffects.push(found.refusalShare - unchanged.refusalShare);
    onProgress?.(draw + 1, draws);
  }
  const gapEffect = without.gap - unchanged.gap;
  const asLarge = gapEffects.filter((one) => Math.abs(one) >= Math.abs(gapEffect)).length;
  const [gaps, refusals] = [gapEffects, refusalEffects].map((list) => ({
    low: quantile(
      list.toSorted((a, b) => a - b),
      0.025,
    ),
    high: quantile(
      list.toSorted((a, b) => a - b),
      0.975,
    ),
  })) as [{ low: number; high: number }, { low: number; high: number }];
  return {
    ...{ states, unchanged, without, gapEffect },
    refusalEffect: without.refusalShare - unchanged.refusalShare,
    random: {
      ...{ gapEffects, refusalEffects, gapLow: gaps.low, gapHigh: gaps.high },
      ...{ refusalLow: refusals.low, refusalHigh: refusals.high },
    },
    pValue: (1 + asLarge) / (1 + draws),
  };
}
