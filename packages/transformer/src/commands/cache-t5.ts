/**
 * `transformer cache` of a T5: both sides in one pass.
 */
import { ConfigError } from '@lab/core';
import type { CliContext, CliInput } from '@lab/core/cli';
import type { WritableArray } from '@lab/tensor/io';
import { readInterventions } from '../intervention-file.js';
import type { Intervention } from '../interventions.js';
import { configOf } from '../model-config.js';
import { decoderBatch } from '../t5/t5-batches.js';
import { loadT5 } from '../t5/load-t5.js';
import { readT5, type T5Architecture } from '../t5/t5-config.js';
import { assertT5Names, t5HookNames } from '../t5/t5-hook-names.js';
import { t5InterventionHook } from '../t5/t5-interventions.js';
import { type IdRows, tokenBatch } from '../token-batch.js';
import type { LoadModelOptions } from '../weights/residency.js';
import { t5TextsOf, textArrays } from './cache-texts.js';
import { placesLike } from './place-patterns.js';

/** What is to be done, checked before any weight is read. */
export interface T5CacheJob {
  readonly folder: string;
  readonly places: ReadonlySet<string>;
  readonly ids: IdRows;
  readonly mask: IdRows;
  readonly decoderIds: IdRows;
  readonly interventions: readonly Intervention[];
}

/** Reads what the flags say; without decoderIds the decoder begins. */
export async function readT5Job(input: CliInput, folder: string): Promise<T5CacheJob> {
  const { options } = input;
  if (options['positions'] === 'last') {
    throw new ConfigError('transformer/cache: --positions is for decoders.', {
      help: 'Leave it out for a T5.',
    });
  }
  const architecture: T5Architecture = readT5(configOf(folder).fields);
  const places = placesLike(
    (options['names'] ?? []) as string[],
    t5HookNames({ architecture }),
    (name) => {
      assertT5Names(name, architecture);
      return name;
    },
  );
  const {
    ids,
    mask,
    decoderIds = ids.map(() => [architecture.startId]),
  } = await t5TextsOf(input, folder);
  // For their errors, before any weight is read.
  tokenBatch({ ids, mask }, architecture.vocabularySize);
  decoderBatch({ ids, decoderIds }, architecture.vocabularySize);
  const changes = options['interventions'];
  const interventions = typeof changes === 'string' ? readInterventions(changes) : [];
  for (const one of interventions) t5InterventionHook(one, architecture);
  return { folder, places, ids, mask, decoderIds, interventions };
}

/** Values of all places, ids, mask and decoderIds. */
export async function t5Arrays(
  { folder, places, ids, mask, decoderIds, interventions }: T5CacheJob,
  { context, options }: { readonly context: CliContext; readonly options: LoadModelOptions },
): Promise<Record<string, WritableArray>> {
  context.progress.update('reading the weights');
  const model = await loadT5(folder, options);
  try {
    const capture = (name: string) => places.has(name);
    const result = await model.forward({ ids, mask, decoderIds, capture, interventions });
    result.dispose();
    return { ...Object.fromEntries(result.captured), ...textArrays({ ids, mask, decoderIds }) };
  } finally {
    model.dispose();
  }
}
