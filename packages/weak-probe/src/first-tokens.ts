/**
 * The first token of a response: does it open a refusal or an answer?
 */
import { ConfigError, DataError } from '@lab/core';
import type { tf } from '@lab/tensor';
import type { Intervention, Model, Tokenizer } from '@lab/transformer';
import { type EncodedPrompt, promptBatches } from './hidden-states.js';
import type { CallOptions } from './state-rows.js';

/** Tokens that open responses. */
export interface Openings {
  readonly refusal: readonly number[];
  readonly compliance: readonly number[];
}

/** What the model would say first. */
export interface FirstToken {
  /** The most probable token. */
  readonly id: number;
  /**
   * Logit of refusal minus that of compliance, nats: `log sum_r exp z_r - log sum_c exp z_c` over
   * their openings; above 0 a refusal is more probable.
   */
  readonly gap: number;
  /** Probability of all openings of a refusal together. */
  readonly refusal: number;
  /** Probability of all openings of an answer together. */
  readonly compliance: number;
  /** KL divergence from the unchanged to this distribution, nats; 0 where nothing is changed. */
  readonly kl: number;
}

/** How {@link firstTokens} reads. */
export interface FirstTokenOptions extends CallOptions {
  /** Changes of a pass over texts of so many tokens, padding on the left counted. */
  readonly changes?: ((length: number) => readonly Intervention[]) | undefined;
  /** Tokens that go through a block together; default 4096. */
  readonly batchTokens?: number | undefined;
}

/**
 * Logits of the first token of a response, of all prompts, `[N, V]` row by row as they come.
 *
 * @param onRow - called with the place of each prompt and its logits, a view.
 */
export async function firstTokens(
  model: Model,
  prompts: readonly EncodedPrompt[],
  onRow: (row: number, logits: Float32Array) => void,
  { changes, batchTokens = 4096, signal, onProgress }: FirstTokenOptions = {},
): Promise<void> {
  let done = 0;
  for (const { ids, mask, members } of promptBatches(model, prompts, batchTokens)) {
    signal?.throwIfAborted();
    const interventions = changes?.(ids[0]!.length);
    const result = await model.forward({ ids, mask, interventions, logits: 'last', signal });
    try {
      await eachRow(result.logits!, (row, logits) => onRow(members[row]!, logits));
    } finally {
      result.dispose();
    }
    done += members.length;
    onProgress?.(done, prompts.length);
  }
}

/** Rows of logits `[B, 1, V]`. */
export async function eachRow(
  logits: tf.Tensor3D,
  onRow: (row: number, logits: Float32Array) => void,
): Promise<void> {
  const [rows, , size] = logits.shape;
  const data = (await logits.data()) as Float32Array;
  for (let row = 0; row < rows; row += 1) onRow(row, data.subarray(row * size, (row + 1) * size));
}

/** The best token of each prompt, `[N]`. */
export async function bestFirstTokens(
  model: Model,
  prompts: readonly EncodedPrompt[],
  options: FirstTokenOptions = {},
): Promise<Int32Array> {
  const best = new Int32Array(prompts.length);
  await firstTokens(
    model,
    prompts,
    (row, logits) => {
      best[row] = argMax(logits);
    },
    options,
  );
  return best;
}

/** Share of a class that a token must open to be taken for one of its openings. */
const LEAST_SHARE = 0.02;

/**
 * Openings as the model itself has them: first tokens of requests that it refuses, and of those
 * that it answers; a token of both is taken by neither.
 *
 * @param refused - best first tokens of requests that are refused.
 * @param answered - of those that are answered.
 * @throws {DataError} where every token of a side is one of the other, too.
 */
export function measuredOpenings(refused: Int32Array, answered: Int32Array): Openings {
  const [first, second] = [frequent(refused), frequent(answered)];
  const openings = {
    refusal: [...first].filter((id) => !second.has(id)),
    compliance: [...second].filter((id) => !first.has(id)),
  };
  if (openings.refusal.length > 0 && openings.compliance.length > 0) return openings;
  const same = [...first].filter((id) => second.has(id)).join(', ');
  throw new DataError(
    `weak-probe/openings: both classes of prompts are responded to alike (token ${same}).`,
    { help: 'Take classes of which the model refuses one, or name the openings.' },
  );
}

function frequent(best: Int32Array): Set<number> {
  const counts = new Map<number, number>();
  for (const id of best) counts.set(id, (counts.get(id) ?? 0) + 1);
  const least = LEAST_SHARE * best.length;
  const sorted = [...counts].toSorted(([a, n], [b, m]) => m - n || a - b);
  return new Set(sorted.filter(([, count]) => count >= least).map(([id]) => id));
}

/**
 * First tokens of texts that open responses, with and without a space before them.
 *
 * @throws {ConfigError} where a text has no tokens, or opens both.
 */
export function namedOpenings(
  tokenizer: Pick<Tokenizer, 'decode' | 'encode'>,
  texts: { readonly refusal: readonly string[]; readonly compliance: readonly string[] },
): Openings {
  const idsOf = (list: readonly string[]) => [
    ...new Set(list.flatMap((text) => openingIds(tokenizer, text))),
  ];
  const openings = { refusal: idsOf(texts.refusal), compliance: idsOf(texts.compliance) };
  const shared = openings.refusal.find((id) => openings.compliance.includes(id));
  if (shared !== undefined) {
    throw new ConfigError(`weak-probe/openings: token ${shared} opens refusals and answers.`, {
      help: 'Give texts whose first tokens differ.',
    });
  }
  const empty = Object.entries(openings).find(([, ids]) => ids.length === 0);
  if (empty === undefined) return openings;
  throw new ConfigError(`weak-probe/openings: there are no texts that open a ${empty[0]}.`, {
    help: 'For example refusal: ["Sorry"], compliance: ["Sure"].',
  });
}

function openingIds(tokenizer: Pick<Tokenizer, 'decode' | 'encode'>, text: string): number[] {
  return [text, ` ${text}`].flatMap((one) => {
    const ids = tokenizer.encode(one, { addSpecialTokens: false });
    const first = ids.find((id) => tokenizer.decode([id]).trim() !== '');
    return first === undefined ? [] : [first];
  });
}

/**
 * What logits say of the first token.
 *
 * @param logits - `[V]`.
 * @param unchanged - of the same prompt without changes; default the same.
 */
export function firstTokenOf(
  logits: Float32Array,
  openings: Openings,
  unchanged: Float32Array = logits,
): FirstToken {
  const normaliser = logSumExp(logits);
  const [refusal, compliance] = [openings.refusal, openings.compliance].map((ids) =>
    logSumExp(ids.map((id) => logits[id]!)),
  ) as [number, number];
  return {
    id: argMax(logits),
    gap: refusal - compliance,
    refusal: Math.exp(refusal - normaliser),
    compliance: Math.exp(compliance - normaliser),
    kl: logits === unchanged ? 0 : divergence(unchanged, { logits, normaliser }),
  };
}

/** `sum_v p_v (log p_v - log q_v)`, at least 0. */
function divergence(
  from: Float32Array,
  { logits, normaliser }: { readonly logits: Float32Array; readonly normaliser: number },
): number {
  const own = logSumExp(from);
  let sum = 0;
  for (let id = 0; id < from.length; id += 1) {
    const logP = from[id]! - own;
    const p = Math.exp(logP);
    if (p > 0) sum += p * (logP - (logits[id]! - normaliser));
  }
  return Math.max(sum, 0);
}

/** `log sum exp`, without overflow. */
function logSumExp(values: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at += 1) most = Math.max(most, values[at]!);
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += Math.exp(values[at]! - most);
  return most + Math.log(sum);
}

function argMax(values: Float32Array): number {
  let best = 0;
  for (let at = 1; at < values.length; at += 1) if (values[at]! > values[best]!) best = at;
  return best;
}
