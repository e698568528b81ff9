/**
 * What the decoder of a T5 writes to texts.
 */
import { setImmediate } from 'node:timers/promises';
import { checkOptions, ConfigError } from '@lab/core';
import { z } from 'zod';
import type { Intervention } from '../interventions.js';
import { passFields } from '../pass-fields.js';
import type { T5Model } from '../t5/t5-model.js';
import type { Tokenizer } from '../tokenizer.js';
import { assertHeld } from '../weights/placed-parts.js';
import { type Beam, type BeamOptions, BeamSearch, type WholeBeam } from './beam-search.js';
import { NO_CHANGES } from './changed-passes.js';
import type { GenerationResult, SamplingOptions, StopOptions } from './engine.js';
import { promptList, type Prompts } from './generate.js';
import { requestSettings } from './request-settings.js';
import { Row } from './row.js';
import { RowCache } from './row-cache.js';
import { stopIdsOf } from './stop-ids.js';
import { beginT5Decoding } from './t5-changed-decoding.js';
import type { T5Steps } from './t5-decoding.js';

/** How a T5 writes. */
export interface T5GenerateOptions extends SamplingOptions, StopOptions, BeamOptions {
  /** For inputs that are texts, texts of results and stop texts. */
  readonly tokenizer?: Tokenizer | undefined;
  /** As of a decoder's continuation; not with several beams. */
  readonly logprobs?: boolean | undefined;
  readonly topLogprobs?: number | undefined;
  /**
   * Changes of the passes; the encoder's is step 0. With changes of the decoder, each step is a
   * pass over all its tokens so far.
   */
  readonly interventions?: readonly Intervention[] | undefined;
  /** Ends all with the reason `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/** What a T5 wrote; `ids` are without the id that the decoder begins with. */
export interface T5GenerationResult extends GenerationResult {
  /** With several beams: all whole texts, best first; `ids` are those of the first. */
  readonly beams?: readonly WholeBeam[];
}

const changesSchema = z.strictObject({ interventions: passFields.interventions });

/**
 * What a T5 writes to each input, in their order: the encoder runs once over all, the decoder a
 * token of all at a time.
 *
 * Greedy, drawn with a temperature (input i as `sample + i` of the seed), or by beams, with the
 * texts and scores of `transformers`.
 *
 * @throws {ConfigError} for settings out of range or that do not go together.
 * @throws {DataError} for an input without tokens, and ids that the vocabulary does not have.
 */
export async function generateT5(
  model: T5Model,
  inputs: Prompts,
  options: T5GenerateOptions = {},
): Promise<T5GenerationResult[]> {
  assertBeams(options);
  assertHeld(model.parts);
  const changes = { interventions: options.interventions };
  checkOptions('transformer/generate', changes, changesSchema);
  const { vocabularySize, startId } = model.architecture;
  const stopIds = stopIdsOf(model.parts.checkpoint.folder);
  const { tokenizer, sample = 0 } = options;
  const unbounded = { contextTokens: null, maxCachedTokens: Number.MAX_SAFE_INTEGER };
  const limits = { vocabularySize, tokenizer, stopIds, ...unbounded };
  const settingsOf = (prompt: ArrayLike<number> | string) =>
    requestSettings({ ...options, prompt }, limits, NO_CHANGES);
  const texts = promptList(inputs).map((input) => settingsOf(input).prompt);
  if (texts.length === 0) return [];
  const rows = texts.map((_, at) => {
    const request = { ...options, prompt: [startId], sample: sample + at };
    return new Row({ request, settings: settingsOf([startId]), blocks: [], tokenizer });
  });
  const decoding = await beginT5Decoding(model, texts, options.interventions ?? []);
  const run = { decoding, signal: options.signal };
  try {
    const isSearched = (options.numBeams ?? 1) > 1;
    const found = isSearched
      ? await searched(rows, options, { ...run, ends: settingsOf([startId]), startId })
      : await written(rows, run);
    return found.map((result, at) => ({
      ...result,
      usage: { ...result.usage, promptTokens: texts[at]!.length },
    }));
  } finally {
    for (const { cache } of rows) cache.clear();
    decoding.dispose();
  }
}

function assertBeams({ numBeams = 1, temperature = 0, ...options }: T5GenerateOptions): void {
  if (!Number.isSafeInteger(numBeams) || numBeams < 1) {
    throw new ConfigError(`transformer/generate: numBeams is ${numBeams}, expected 1 or more.`);
  }
  const { stop = [], logprobs = false, topLogprobs = 0 } = options;
  if (numBeams === 1) return;
  const other = [
    ...(temperature > 0 ? ['temperature'] : []),
    ...(stop.length > 0 ? ['stop'] : []),
    ...(logprobs || topLogprobs > 0 ? ['logprobs'] : []),
  ];
  if (other.length === 0) return;
  throw new ConfigError(
    `transformer/generate: ${other.join(', ')} and ${numBeams} beams do not go together.`,
    { help: 'Leave out one of them.' },
  );
}

interface Run {
  readonly decoding: T5Steps;
  readonly signal: AbortSignal | undefined;
}

/** A token of every row that is not at its end, until all are. */
async function written(
  rows: readonly Row[],
  { decoding, signal }: Run,
): Promise<T5GenerationResult[]> {
  for (;;) {
    await setImmediate();
    if (signal?.aborted === true) for (const row of rows) row.finish('aborted');
    const going = [...rows.entries()].filter(([, row]) => !row.isFinished);
    if (going.length === 0) break;
    const step = going.map(([text, row]) => ({
      ...{ text, ids: row.nextSegment(Infinity).ids, cache: row.cache },
    }));
    const logits = await decoding.step(step);
    for (const [at, [, row]] of going.entries()) row.accept(logits[at]!);
  }
  return Promise.all(rows.map(({ stream }) => stream.result));
}

interface SearchRun extends Run {
  readonly ends: {
    readonly maxNewTokens: number;
    readonly minNewTokens: number;
    readonly stopIds: ReadonlySet<number>;
  };
  readonly startId: number;
}

/** A search of one text, with the caches of its beams. */
interface Search {
  readonly text: number;
  readonly beams: BeamSearch;
  caches: readonly RowCache[];
}

async function searched(
  rows: readonly Row[],
  options: T5GenerateOptions,
  { decoding, signal, ends, startId }: SearchRun,
): Promise<T5GenerationResult[]> {
  const searches: Search[] = rows.map((_, text) => ({
    ...{ text, beams: new BeamSearch(options, ends), caches: [new RowCache()] },
  }));
  try {
    for (;;) {
      await setImmediate();
      const going = searches.filter(({ beams }) => !beams.isDone);
      if (going.length === 0 || signal?.aborted === true) break;
      const step = going.flatMap(({ text, beams, caches }) =>
        beams.beams.map(({ ids }, at) => ({
          ...{ text, ids: [startId, ...ids], cache: caches[at]! },
        })),
      );
      const logits = await decoding.step(step);
      let start = 0;
      for (const search of going) {
        const count = search.beams.beams.length;
        search.beams.advance(logits.slice(start, start + count));
        start += count;
        search.caches = followed(search.caches, search.beams.beams);
      }
    }
    return searches.map((search) => beamResult(search, options, ends.stopIds));
  } finally {
    for (const { caches } of searches) for (const cache of caches) cache.clear();
  }
}

/** The caches of new beams: a parent's goes to its first child, copies of it to others. */
function followed(caches: readonly RowCache[], beams: readonly Beam[]): RowCache[] {
  const taken = new Set<number>();
  const next = beams.map(({ parent }) => {
    const own = caches[parent]!;
    if (taken.has(parent)) return own.clone();
    taken.add(parent);
    return own;
  });
  for (const [at, cache] of caches.entries()) if (!taken.has(at)) cache.clear();
  return next;
}

function beamResult(
  { beams: { results, isDone, beams } }: Search,
  { tokenizer }: T5GenerateOptions,
  stopIds: ReadonlySet<number>,
): T5GenerationResult {
  const { ids } = results[0] ?? beams[0]!;
  const last = ids.at(-1);
  const isStopped = last !== undefined && stopIds.has(last);
  return {
    ids,
    text: tokenizer?.decode(ids, { skipSpecialTokens: true }) ?? '',
    finishReason: !isDone ? 'aborted' : isStopped ? 'stop' : 'length',
    stoppedBy: isStopped ? last : null,
    events: [],
    usage: { promptTokens: 0, newTokens: ids.length },
    beams: results,
  };
}
