/**
 * Metrics that must reach a value, for continuous integration.
 */
import { ConfigError, LabError, nearest } from '@lab/core';
import type { Evaluation } from './evaluate.js';

/** A metric and the least that it must be. */
export interface Gate {
  readonly metric: string;
  readonly least: number;
}

/** A gate that was not passed. */
export interface FailedGate extends Gate {
  /** Null where the metric was not measured. */
  readonly value: number | null;
}

type MetricOf = (evaluation: Evaluation) => number | null | undefined;

const metrics: Readonly<Record<string, MetricOf>> = {
  accuracy: ({ agreement }) => agreement?.overall.accuracy.value,
  kappa: ({ agreement }) => agreement?.overall.kappa.value,
  'macro-f1': ({ agreement }) => agreement?.overall.macro.f1,
  'accuracy-without-ties': ({ agreement }) => agreement?.twoClass?.accuracy.value,
  'judged-share': ({ network }) => network.judged / Math.max(1, network.samples),
  'swap-consistency': ({ network }) => network.position.swapConsistency,
  'jury-agreement': ({ network }) => network.juryAgreement,
};

/** Names of the metrics that a gate may be set on. */
export const gateMetrics = Object.keys(metrics);

/**
 * The gates that texts like `kappa=0.3` name.
 *
 * @throws {ConfigError} for a metric that there is not, and for what is no number.
 */
export function parseGates(texts: readonly string[]): Gate[] {
  return texts.map((text) => {
    const [metric = '', value = '', more] = text.split('=');
    const least = Number(value);
    if (!Object.hasOwn(metrics, metric)) {
      const close = nearest(metric, gateMetrics);
      throw new ConfigError(`--fail-under: there is no metric ${JSON.stringify(metric)}.`, {
        help:
          close === undefined ? `metrics are ${gateMetrics.join(', ')}.` : `did you mean ${close}?`,
      });
    }
    if (value.trim() !== '' && Number.isFinite(least) && more === undefined) {
      return { metric, least };
    }
    throw new ConfigError(`--fail-under ${JSON.stringify(text)} names no value.`, {
      help: 'write metric=value, e.g. --fail-under kappa=0.3.',
    });
  });
}

/** The gates that an evaluation does not pass; a metric that was not measured fails. */
export function failedGates(evaluation: Evaluation, gates: readonly Gate[]): FailedGate[] {
  return gates.flatMap((gate) => {
    const value = metrics[gate.metric]?.(evaluation) ?? null;
    return value !== null && value >= gate.least ? [] : [{ ...gate, value }];
  });
}

/** A metric lies below its threshold (`LAB_GATE`, exit code 8). */
export class GateError extends LabError {
  constructor(failed: readonly FailedGate[]) {
    const parts = failed.map(({ metric, least, value }) =>
      value === null
        ? `${metric} was not measured`
        : `${metric} is ${value.toFixed(4)}, below ${least}`,
    );
    super(`${parts.join('; ')}.`, { code: 'LAB_GATE', details: { failed: [...failed] } });
  }
}
