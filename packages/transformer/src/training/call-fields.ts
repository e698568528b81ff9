/**
 * What the options of the library calls may be; their meaning and defaults stand at their
 * interface.
 */
import { ConfigError, hasFields, objectWith, type OptionFields, optionFields } from '@lab/core';
import { z } from 'zod';
import type { ModelSource } from './model-source.js';
import type { TrainModelOptions } from './training-events.js';

const { callback, signal, logger } = optionFields;
const settings = z.record(z.string(), z.unknown()).optional();

/** Every option of a training. */
export const optionsSchema = z.strictObject({
  seed: optionFields.count.optional(),
  tuning: settings,
  data: settings,
  training: settings,
  evaluation: z.union([z.string(), z.array(z.unknown())]).optional(),
  run: z
    .custom(
      (value) => hasFields(value, 'parent') || hasFields(value, 'resume'),
      'must name parent or resume',
    )
    .optional(),
  signal,
  onStep: callback,
  onProgress: callback,
  logger,
  now: callback,
  hooks: callback,
  resolved: objectWith(['config', 'origins'], 'must be resolved').optional(),
} satisfies OptionFields<TrainModelOptions>);

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
