/**
 * Continuations of a list of texts.
 */
import type { IdRows, TokenInput } from '../token-batch.js';
import type { Model } from '../model.js';
import {
  type ContinuationOptions,
  createGenerationEngine,
  type GenerationEngineOptions,
  type GenerationEvent,
  type GenerationResult,
} from './engine.js';

/** Texts, token ids, or a batch with its padding. */
export type Prompts = readonly (ArrayLike<number> | string)[] | TokenInput;

/** How texts are continued. */
export interface GenerateOptions extends ContinuationOptions, GenerationEngineOptions {
  /** Ends all with the reason `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Called with every new token and the position of its prompt in the list. */
  readonly onToken?: ((event: GenerationEvent, prompt: number) => void) | undefined;
}

/**
 * Continuations of texts, in the order of the prompts.
 *
 * Each is what it would be alone; prompt i draws as `sample + i` of the seed. Padding is left out:
 * positions of interventions and hooks do not count it.
 *
 * @throws what `GenerationEngine.submit` throws, and what passes and hooks throw.
 */
export async function generate(
  model: Model,
  prompts: Prompts,
  options: GenerateOptions = {},
): Promise<GenerationResult[]> {
  const { onToken, sample = 0, ...rest } = options;
  const engine = createGenerationEngine(model, rest);
  try {
    const streams = promptList(prompts).map((prompt, at) =>
      engine.submit({ ...rest, prompt, sample: sample + at }),
    );
    const ends = streams.map(async (stream, at) => {
      if (onToken !== undefined) for await (const event of stream) onToken(event, at);
      return stream.result;
    });
    return await Promise.all(ends);
  } finally {
    await engine.dispose();
  }
}

/** Prompts one by one, without padding. */
export function promptList(prompts: Prompts): readonly (ArrayLike<number> | string)[] {
  if (!('ids' in prompts)) return prompts;
  const { ids, mask } = prompts;
  return mask === undefined ? ids : ids.map((row, at) => counted(row, mask[at]));
}

/** Ids that are no padding. */
function counted(row: ArrayLike<number>, mask: IdRows[number] | undefined): number[] {
  return Array.from(row).filter((_, at) => mask?.[at] !== 0);
}
