/** Where a run is kept and how far it may go, as the flags say. */
import { ConfigError } from '@lab/core';
import type { Budget } from '../rows/budget.js';
import { type ErrorLimit, parseErrorLimit } from '../rows/error-limit.js';
import { parseShard, type Shard } from '../rows/shard.js';
import { countOf, type FlagValues, numberOf, textOf } from './flag-values.js';

/** Where a run is kept, and how far it may go. */
export interface RunSettings {
  /** Folder of the run; empty where a plan names none. */
  readonly out: string;
  readonly isResumed: boolean;
  readonly allowMixed: boolean;
  readonly isDryRun: boolean;
  readonly shard: Shard | undefined;
  readonly maxErrors: ErrorLimit | undefined;
  readonly budget: Budget;
  /** Requests at once; undefined where that is found by trying. */
  readonly concurrency: number | undefined;
}

/**
 * The settings of a run that flags make.
 *
 * @param folder - where the run is kept when no flag says so.
 * @throws {ConfigError} for a missing folder, and for numbers and texts that make no sense.
 */
export function readRunSettings(options: FlagValues, folder?: string): RunSettings {
  const [given, shard, maxErrors] = ['out', 'shard', 'maxErrors'].map((name) =>
    textOf(options, name),
  );
  const isDryRun = options['dryRun'] === true;
  const isResumed = options['resume'] !== undefined;
  const out = given === undefined || given === '' ? folder : given;
  // A plan needs a folder where it counts what a run has finished already.
  if (out === undefined && (isResumed || !isDryRun)) {
    throw new ConfigError('--out DIR is missing.', {
      help: 'name a folder, e.g. --out runs/first.',
    });
  }
  return {
    out: out ?? '',
    isResumed,
    allowMixed: options['allowMixed'] === true,
    isDryRun,
    shard: shard === undefined ? undefined : parseShard(shard),
    maxErrors: maxErrors === undefined ? undefined : parseErrorLimit(maxErrors),
    budget: budgetOf(options),
    concurrency: countOf(options, 'concurrency', '--concurrency'),
  };
}

function budgetOf(options: FlagValues): Budget {
  const budgetUsd = numberOf(options, 'budgetUsd');
  if (budgetUsd !== undefined && budgetUsd <= 0) {
    throw new ConfigError('--budget-usd must be above 0.');
  }
  return {
    maxCalls: countOf(options, 'maxCalls', '--max-calls'),
    maxTotalTokens: countOf(options, 'maxTotalTokens', '--max-total-tokens'),
    budgetUsd,
  };
}
