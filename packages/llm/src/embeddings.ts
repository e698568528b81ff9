/**
 * Embeddings of many texts, in the batches that servers take.
 */
import type { Embeddings, TokenUsage } from './chat.js';
import { LlmFailure } from './llm-failure.js';

/** Texts of one request at most. */
const BATCH_TEXTS = 64;
/** Tokens of one request at most. */
const BATCH_TOKENS = 8192;

/** A quick estimate from above for most languages; batches need no exact count. */
const estimatedTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 3);

/** Texts in batches of at most 64 texts and about 8K tokens; longer texts stand alone. */
export function embeddingBatches(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let tokens = 0;
  for (const text of texts) {
    const size = estimatedTokens(text);
    const isFull = batch.length === BATCH_TEXTS || tokens + size > BATCH_TOKENS;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
      tokens = 0;
    }
    batch.push(text);
    tokens += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** The vectors of one answer. */
export interface EmbeddingRows {
  readonly rows: readonly (readonly number[])[];
  readonly promptTokens: number | null;
}

/**
 * The vectors of an answer in the order of its texts, or what is wrong with it.
 *
 * @param count - of the texts that were sent.
 */
export function readEmbeddings(body: string, count: number): EmbeddingRows | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return 'broken JSON';
  }
  const { data, usage } = (parsed ?? {}) as Record<string, unknown>;
  if (!Array.isArray(data)) return 'no list of embeddings';
  const rows: (readonly number[] | undefined)[] = new Array<undefined>(count).fill(undefined);
  for (const [position, item] of (data as unknown[]).entries()) {
    const { index, embedding } = (item ?? {}) as Record<string, unknown>;
    const place = typeof index === 'number' ? index : position;
    if (!isVector(embedding)) return `an embedding that is no list of numbers (${position})`;
    if (!(place >= 0 && place < count) || rows[place] !== undefined) {
      return `an embedding with the index ${place} among ${count}`;
    }
    rows[place] = embedding;
  }
  const missing = rows.indexOf(undefined);
  if (missing !== -1) return `no embedding of text ${missing}`;
  const { prompt_tokens: tokens } = (usage ?? {}) as Record<string, unknown>;
  return {
    rows: rows as readonly (readonly number[])[],
    promptTokens: typeof tokens === 'number' ? tokens : null,
  };
}

function isVector(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isFinite);
}

/**
 * All batches as one table of vectors of length one.
 *
 * @throws {LlmFailure} when the widths differ or a vector is all zeros.
 */
export function joinEmbeddings(
  batches: readonly EmbeddingRows[],
  texts: readonly string[],
): Embeddings {
  const rows = batches.flatMap((batch) => batch.rows);
  const width = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries()) {
    if (row.length !== width) {
      throw badEmbeddings(`text ${index} has ${row.length} numbers, text 0 has ${width}`);
    }
    const length = Math.hypot(...row);
    if (length === 0) throw badEmbeddings(`text ${index} has zeros only`);
    for (let at = 0; at < width; at += 1) values[index * width + at] = row[at]! / length;
  }
  return { width, values, usage: usageOf(batches, texts) };
}

function usageOf(batches: readonly EmbeddingRows[], texts: readonly string[]): TokenUsage {
  const none = { completion: 0, cached: 0, reasoning: 0 };
  let prompt = 0;
  for (const { promptTokens } of batches) {
    if (promptTokens === null) {
      const estimate = texts.reduce((sum, text) => sum + estimatedTokens(text), 0);
      return { ...none, prompt: estimate, isEstimated: true };
    }
    prompt += promptTokens;
  }
  return { ...none, prompt, isEstimated: false };
}

function badEmbeddings(what: string): LlmFailure {
  return new LlmFailure(`llm/client: of the embeddings, ${what}.`, {
    ...{ kind: 'server', isRetryable: false, attempts: 1 },
    help: 'look whether the model makes embeddings, and whether all servers run the same one.',
  });
}
