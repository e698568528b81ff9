/**
 * Which single heads tell the classes apart, of a collection of what heads give.
 */
import { type Interval, wilson } from '@lab/metrics';
import type { Config } from './config.js';
import { readSamples, splitsOf } from './explain.js';
import { shareSamples } from './probe-input.js';
import { predictRows } from './probe-predictions.js';
import { accuracyOf } from './probe-scores.js';
import { fitProbe, type ProbeKind, trainingRows } from './probes.js';
import type { Split } from './split.js';
import { assertState, type StateStore } from './state-store.js';

/** A head by itself. */
export interface HeadAccuracy {
  readonly head: number;
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly interval: Interval;
}

/** Heads of the blocks. */
export interface HeadProbes {
  readonly probe: ProbeKind;
  readonly states: readonly {
    /** Block, as a state of heads is one. */
    readonly state: number;
    readonly heads: readonly HeadAccuracy[];
  }[];
}

/** What {@link headProbes} reads. */
export interface HeadProbeOptions {
  readonly store: StateStore;
  readonly config: Config;
  /** Default all. */
  readonly states?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Accuracy of a probe on what each head gives, on the first split: `mass-mean` for two classes,
 * `nearest-centroid` for more, as there are many heads and neither needs a solver. Null for a store
 * of other values than those of heads.
 *
 * With many heads the best of them is a lucky one, too: its interval is that of one head alone.
 *
 * @throws {ConfigError} for a state out of range.
 */
export async function headProbes(options: HeadProbeOptions): Promise<HeadProbes | null> {
  const { store, config, signal } = options;
  const { headCount, classes } = store.about;
  if (headCount === undefined) return null;
  const all = Array.from({ length: store.stateCount }, (_, state) => state);
  const states = options.states ?? all;
  for (const state of states) assertState(state, store.stateCount);
  const split = splitsOf({ store, config })[0]!;
  const probe = classes.length === 2 ? 'mass-mean' : 'nearest-centroid';
  const found: HeadProbes['states'][number][] = [];
  for (const state of states) {
    const { rows, labels } = await readSamples(store, state);
    const heads: HeadAccuracy[] = [];
    for (let head = 0; head < headCount; head += 1) {
      signal?.throwIfAborted();
      const values = columnsOf(rows.values, { head, headCount, width: store.width });
      const own = { rowCount: rows.rowCount, columnCount: store.width / headCount, values };
      const samples = shareSamples({ rows: own, labels });
      const fitted = await fitProbe(probe, trainingRows(samples, classes, split.train), {
        settings: config,
      });
      heads.push({ head, ...scoreOf(predictRows(fitted, split.test, samples), split) });
    }
    found.push({ state, heads });
  }
  return { probe, states: found };
}

function scoreOf(
  predicted: ReturnType<typeof predictRows>,
  { test }: Split,
): Omit<HeadAccuracy, 'head'> {
  const accuracy = accuracyOf(predicted);
  return { accuracy, interval: wilson(accuracy * test.length, test.length) };
}

interface HeadColumns {
  readonly head: number;
  readonly headCount: number;
  readonly width: number;
}

/** Features of a head, `[N, F]`. */
function columnsOf(
  values: ArrayLike<number>,
  { head, headCount, width }: HeadColumns,
): Float32Array {
  const size = width / headCount;
  const own = new Float32Array((values.length / width) * size);
  for (let at = 0; at < own.length; at += 1) {
    own[at] = values[Math.floor(at / size) * width + head * size + (at % size)]!;
  }
  return own;
}
