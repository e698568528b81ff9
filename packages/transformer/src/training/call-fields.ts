/**
 * What the options of the library calls may be; their meaning and defaults stand at their
 * interface.
 */
import { ConfigError } from '@lab/core';
import { z } from 'zod';
import type { ModelSource } from './model-source.js';
import type { TrainModelOptions } from './training-events.js';

const has = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && names.every((name) => name in value);

const callback = z.custom((value) => typeof value === 'function', 'must be a function').optional();
const settings = z.record(z.string(), z.unknown()).optional();

/** Every option of a training. */
export const optionsSchema = z.strictObject({
  seed: z.int().min(0).optional(),
  tuning: settings,
  data: settings,
  training: settings,
  evaluation: z.union([z.string(), z.array(z.unknown())]).optional(),
  run: z
    .custom((value) => has(value, 'parent') || has(value, 'resume'), 'must name parent or resume')
    .optional(),
  signal: z.custom((value) => has(value, 'aborted'), 'must be an AbortSignal').optional(),
  onStep: callback,
  onProgress: callback,
  logger: z.custom((value) => has(value, 'info', 'warn'), 'must be a logger').optional(),
  now: callback,
  hooks: callback,
  resolved: z.custom((value) => has(value, 'config', 'origins'), 'must be resolved').optional(),
} satisfies Readonly<Record<keyof TrainModelOptions, z.ZodType>>);

/**
 * Refuses a model of the other kind.
 *
 * @throws {ConfigError} that names the call for it.
 */
export function assertKind({ kind }: Pick<ModelSource, 'kind'>, wanted: 'decoder' | 't5'): void {
  if (kind === wanted) return;
  const isT5 = kind === 't5';
  throw new ConfigError(
    `transformer/train: the model is ${isT5 ? 'a T5' : 'a decoder'}, which this call does not ` +
      'take.',
    { help: `Train it with ${isT5 ? 'trainT5' : 'trainModel'}.` },
  );
}
