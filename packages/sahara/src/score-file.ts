/**
 * Scores of heads as a file, with what they were made of.
 */
import { readFileSync } from 'node:fs';
import { canonicalJson, DataError, sha256, writeFileAtomic } from '@lab/core';
import { z } from 'zod';
import { ablationKinds, ablationSites } from './ablation.js';
import { pairings } from './prompt-sources.js';

const headSchema = z.strictObject({ layer: z.int().min(0), head: z.int().min(0) });
const scoredSchema = headSchema.extend({ score: z.number() });
const promptsSchema = z.strictObject({ sha256: z.string(), promptCount: z.int().min(1) });

/** Schema of a file of scores. */
export const scoreFileSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /**
   * `ships`: mean over prompts of the divergence of the next token; `dataset-ships`: turn of the
   * subspace of a data set; `sahara-step`: the same, or the mean divergence, with `group` but for
   * its last head ablated; the last one is the pick. Without ablation: `probe-heads`, accuracy of a
   * linear probe; `refusal-direction`, what a head writes along it on harmful prompts more than on
   * harmless ones; `refusal-logits`, what it adds by itself to the first token of a refusal over
   * that of an answer.
   */
  kind: z.enum([
    ...(['ships', 'dataset-ships', 'sahara-step'] as const),
    ...(['probe-heads', 'refusal-direction', 'refusal-logits'] as const),
  ]),
  model: z.strictObject({
    path: z.string(),
    fingerprint: z.string(),
    layerCount: z.int().min(1),
    headCount: z.int().min(1),
  }),
  tokenizer: z.strictObject({ fingerprint: z.string() }),
  /** How prompts were written. */
  format: z.string(),
  /** Text of the system, where there was one. */
  system: z.string().optional(),
  data: promptsSchema,
  /** Prompts that are answered, where scores compare both. */
  harmless: promptsSchema.optional(),
  /** Prompts whose outputs of heads were put in, and how each found its own. */
  source: promptsSchema.extend({ pairing: z.enum(pairings) }).optional(),
  /** Of scores by ablation, as `numerics`. */
  ablation: z
    .strictObject({
      kind: z.enum(ablationKinds),
      site: z.enum(ablationSites),
      eps: z.number().min(0),
      granularity: z.enum(['query-head', 'kv-group']),
    })
    .optional(),
  numerics: z.enum(['stable', 'official']).optional(),
  unit: z.enum(['nats', 'degrees', 'accuracy', 'length', 'logits']),
  /** Of the subspace, where there is one. */
  subspace: z
    .strictObject({
      side: z.enum(['left', 'right']),
      center: z.boolean(),
      rank: z.int().min(1),
      gap: z.number(),
    })
    .optional(),
  /** `[L][H]`; null for a head that was not scored. */
  scores: z.array(z.array(z.number().nullable())),
  /** Groups of heads with one score above 0. */
  ties: z.array(z.array(headSchema)),
  /** Scores of `kind: ships` at their best heads, prompt by prompt. */
  prompts: z
    .array(
      z.strictObject({
        id: z.string(),
        category: z.string().optional(),
        top: z.array(scoredSchema),
      }),
    )
    .optional(),
  /**
   * Heads that a search picked, in their order: of a step up to the head that its scores name, of
   * `scores.json` all so far, beside scores of every head alone.
   */
  group: z.array(headSchema).optional(),
});

/** Scores of all heads of a model, with what they were made of. */
export type ScoreFile = z.infer<typeof scoreFileSchema>;

/** Scores of one prompt alone, a line of `predictions.jsonl`. */
export const promptScoresSchema = z.strictObject({
  id: z.string(),
  category: z.string().optional(),
  /** SHA-256 of its tokens. */
  inputSha256: z.string(),
  scores: z.array(z.array(z.number().nullable())),
  nextToken: z.int(),
  nextProbability: z.number(),
});

/** A line of `predictions.jsonl`. */
export type PromptScoreLine = z.infer<typeof promptScoresSchema>;

/** SHA-256 of the tokens of a prompt. */
export const tokensHash = (ids: readonly number[]): string => sha256(canonicalJson(ids));

/** Writes a file of scores, whole or not at all. */
export function saveScores(path: string, file: ScoreFile): void {
  writeFileAtomic(path, `${JSON.stringify(file)}\n`);
}

/**
 * Reads a file of scores.
 *
 * @throws {DataError} for a file that is missing, is no such file, or of another schema version.
 */
export function loadScores(path: string): ScoreFile {
  const value = parsed(path);
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (version !== 1) {
    throw new DataError(`${path}: is no file of scores of schema 1 (schemaVersion: ${version}).`, {
      ...{ file: path, help: 'Give scores.json of a run of sahara.' },
    });
  }
  const result = scoreFileSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new DataError(`${path}: ${issue!.path.join('.')}: ${issue!.message}.`, {
      ...{ file: path, field: issue!.path.join('.') },
      help: 'The file was changed by hand or is of another version.',
    });
  }
  assertShape(path, result.data);
  return result.data;
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`${path}: cannot be read as JSON (${reason.slice(0, 120)}).`, {
      ...{ file: path, cause, help: 'Give scores.json of a run of sahara.' },
    });
  }
}

function assertShape(path: string, { model, scores }: ScoreFile): void {
  const { layerCount, headCount } = model;
  const isWhole = scores.length === layerCount && scores.every((row) => row.length === headCount);
  if (isWhole) return;
  const got = `${scores.length} x ${[...new Set(scores.map((row) => row.length))].join('|')}`;
  throw new DataError(`${path}: scores are ${got}, the model has ${layerCount} x ${headCount}.`, {
    ...{ file: path, field: 'scores', help: 'The file was changed by hand.' },
  });
}

/**
 * Mean over prompts of the scores of each head, `[L][H]`; null where none has it. A prompt that
 * has none counts as 0: screening leaves out what hardly matters there.
 */
export function meanScores(
  prompts: readonly { readonly scores: readonly (readonly (number | null)[])[] }[],
): (number | null)[][] {
  return (prompts[0]?.scores ?? []).map((row, layer) =>
    row.map((_, head) => {
      const own = prompts.flatMap(({ scores }) => scores[layer]![head] ?? []);
      return own.length === 0 ? null : own.reduce((sum, score) => sum + score, 0) / prompts.length;
    }),
  );
}
