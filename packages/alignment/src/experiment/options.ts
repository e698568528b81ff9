import { type OptionFields, optionFields, type ResolvedConfig } from '@lab/core';
import { z } from 'zod';
import { callFields } from '../call-fields.js';
import type { AlignmentConfig } from '../config-fields.js';
import type { AlignmentTask } from '../data.js';
import type { AlignmentMethod } from '../method.js';

/** What an experiment needs. */
export interface AlignmentExperimentOptions {
  readonly method: AlignmentMethod;
  readonly task: AlignmentTask;
  /** Config that the cells change. */
  readonly base: ResolvedConfig<AlignmentConfig>;
  readonly epochs: number;
  readonly seeds: readonly number[];
  /** Names of groups; default all that the data allow. */
  readonly only?: readonly string[] | undefined;
  /** Entities a side of the made-up pairs on which an epoch is timed; default 1000 to 8000. */
  readonly sizes?: readonly number[] | undefined;
  /** Folder of results, tables and figures. */
  readonly dir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string, share: number) => void) | undefined;
  /** Seconds of a clock that only moves forward; default `performance.now() / 1000`. */
  readonly now?: (() => number) | undefined;
}

/** The options of an experiment as it checks them. */
export const experimentSchema = z.strictObject({
  method: callFields.method,
  task: callFields.task,
  base: callFields.resolved,
  epochs: optionFields.count,
  seeds: z.array(optionFields.count).min(1),
  only: z.array(z.string()).optional(),
  sizes: z.array(z.int().min(2)).optional(),
  dir: optionFields.path,
  signal: optionFields.signal,
  onProgress: optionFields.callback,
  now: optionFields.callback,
} satisfies OptionFields<AlignmentExperimentOptions>);
