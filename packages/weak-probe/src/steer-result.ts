/**
 * What adding and removing a probe's direction does.
 */
import { ConfigError } from '@lab/core';
import type { CausalCheck } from './causal.js';
import type { Config } from './config.js';
import { fitProbe, type ProbeKind, trainingRows } from './probes.js';
import { shareSamples } from './probe-input.js';
import type { CallOptions } from './state-rows.js';
import { type Direction, meanDistance, type DosePoint } from './steering.js';

/** Prompts of a class, and what they become. */
export interface ClassSteering {
  readonly label: string;
  readonly doses: readonly DosePoint[];
  /** The direction taken out, beside random ones. */
  readonly causal: CausalCheck;
}

/** What `weak-probe steer` writes. */
export interface SteerResult {
  readonly model: { readonly path: string; readonly fingerprint: string };
  readonly probe: ProbeKind;
  /** State that the probe was fitted at, and that doses are added to. */
  readonly state: number;
  /** Class that doses above 0 steer to. */
  readonly towards: string;
  /** Distance of the classes' means along the direction: a dose of 1. */
  readonly unit: number;
  readonly classes: readonly ClassSteering[];
}

/** Rows of two classes at one state. */
export interface DirectionInput extends Pick<CallOptions, 'signal'> {
  /** `[N, D]`. */
  readonly rows: Float32Array;
  /** 0 for the first class, 1 for the second, `[N]`. */
  readonly labels: Int32Array;
  readonly classes: readonly [string, string];
  readonly settings: Config;
}

/** A direction of a probe, with where the classes are along it. */
export interface ProbeDirection extends Direction {
  readonly vector: Float64Array;
  readonly unit: number;
  /** Means of the two classes along it. */
  readonly means: readonly [number, number];
}

/**
 * The direction of a linear probe from the first class to the second, fitted on all rows.
 *
 * @throws {ConfigError} for a probe without direction, and rows that do not differ.
 */
export async function probeDirection(
  kind: ProbeKind,
  { rows, labels, classes, settings, signal }: DirectionInput,
): Promise<ProbeDirection> {
  const rowCount = labels.length;
  const samples = shareSamples({
    rows: { values: rows, rowCount, columnCount: rows.length / rowCount },
    labels,
  });
  const all = Int32Array.from(labels.keys());
  const probe = await fitProbe(kind, trainingRows(samples, classes, all), { settings, signal });
  const vector = probe.direction();
  if (vector === null) {
    const why = samples.isDegenerate ? 'all rows of this state are the same' : 'it is not linear';
    throw new ConfigError(`weak-probe/steer: the probe ${kind} has no direction: ${why}.`, {
      help: 'Take another state, or a linear probe such as mass-mean or svm.',
    });
  }
  const isSecond = Array.from(labels, (label) => label === 1);
  const { unit, positive, negative } = meanDistance(rows, isSecond, vector);
  return { vector, unit, means: [negative, positive] };
}
