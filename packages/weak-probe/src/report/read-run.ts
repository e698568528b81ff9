/**
 * A run with all results that are in its folder.
 */
import { join } from 'node:path';
import { readJsonLines } from '@lab/core';
import { type Collection, openCollection } from '../collection.js';
import type { CarriedProbes } from '../figures/run-figures.js';
import type { StateProbe, StateReport } from '../explain.js';
import type { GraftResult } from '../graft-result.js';
import type { LensResult } from '../lens-result.js';
import type { PositionResult } from '../positions.js';
import type { ProbePrediction } from '../probe-predictions.js';
import type { ProbeResult } from '../probe-result.js';
import { predictionsFile, readResult } from '../run-files.js';
import type { SteerResult } from '../steer-result.js';

/** What the page of a run is made of; null for what was not done. */
export interface RunResults {
  readonly collection: Collection;
  readonly probes: ProbeResult | null;
  readonly predictions: readonly ProbePrediction[];
  readonly lens: LensResult | null;
  readonly graft: GraftResult | null;
  readonly steer: SteerResult | null;
  readonly positions: PositionResult | null;
  /** Probes carried to other runs. */
  readonly transfers: readonly CarriedProbes[];
}

/**
 * All results of a run.
 *
 * @throws {DataError} where it is no finished collection, or a file of it is damaged.
 */
export function readRun(dir: string): RunResults {
  return {
    collection: openCollection(dir),
    probes: readResult<ProbeResult>(dir, 'probes'),
    predictions: readJsonLines(join(dir, predictionsFile)).rows as ProbePrediction[],
    lens: readResult<LensResult>(dir, 'lens'),
    graft: readResult<GraftResult>(dir, 'graft'),
    steer: readResult<SteerResult>(dir, 'steer'),
    positions: readResult<PositionResult>(dir, 'positions'),
    transfers:
      readResult<{ readonly transfers: readonly CarriedProbes[] }>(dir, 'transfer')?.transfers ??
      [],
  };
}

/** The most accurate probe of all states. */
export interface BestProbe {
  readonly report: StateReport;
  readonly probe: StateProbe;
}

/** The probe and state with the highest accuracy, linear machine first, the first of equal ones. */
export function bestProbe({ states }: Pick<ProbeResult, 'states'>): BestProbe {
  const all = states.flatMap((report) => report.probes.map((probe) => ({ report, probe })));
  const kinds = [...new Set(all.map(({ probe }) => probe.probe))];
  const chosen = kinds.includes('svm') ? 'svm' : kinds[0];
  return all
    .filter(({ probe }) => probe.probe === chosen)
    .reduce((best, one) => (one.probe.accuracy > best.probe.accuracy ? one : best));
}
