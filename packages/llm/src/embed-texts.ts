/**
 * Many texts through the embeddings endpoint, some batches at a time.
 */
import type { Embeddings } from './chat.js';
import { embeddingBatches, type EmbeddingRows, joinEmbeddings } from './embeddings.js';
import type { EmbeddingStore } from './retrieval/store.js';
import type { Retried } from './retry.js';
import { noUsage, sumOfUsage } from './token-usage.js';

/** Batches whose bodies are held in memory at once; the pool decides how many are on their way. */
const BATCHES_AT_ONCE = 64;

/** Embeddings and the requests that they took. */
export interface EmbeddedTexts {
  readonly embeddings: Embeddings;
  readonly attempts: number;
}

/**
 * The embeddings of texts; no more batches are begun after one has failed.
 *
 * @param ask - one request for a batch.
 * @throws {LlmFailure}
 */
export async function embedTexts(
  texts: readonly string[],
  ask: (batch: readonly string[]) => Promise<Retried<EmbeddingRows>>,
): Promise<EmbeddedTexts> {
  const batches = embeddingBatches(texts);
  const rows: EmbeddingRows[] = [];
  let attempts = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < batches.length) {
      const index = next;
      next += 1;
      try {
        const answer = await ask(batches[index]!);
        rows[index] = answer.value;
        attempts += answer.attempts;
      } catch (error) {
        next = batches.length;
        throw error;
      }
    }
  };
  const workers = Math.min(BATCHES_AT_ONCE, batches.length);
  await Promise.all(Array.from({ length: workers }, work));
  return { embeddings: joinEmbeddings(rows, texts), attempts };
}

/**
 * The embeddings of texts, of which only those that a store lacks are asked for; usage is of these.
 *
 * @throws {LlmFailure}
 * @throws {DataError} when the store is of another model, or cannot be written.
 */
export async function embedMissing(
  texts: readonly string[],
  store: EmbeddingStore,
  { model, ask }: { model: string; ask: (texts: readonly string[]) => Promise<Embeddings> },
): Promise<Embeddings> {
  let usage = noUsage;
  const embed = async (missing: readonly string[]): Promise<Embeddings> => {
    const made = await ask(missing);
    usage = sumOfUsage(usage, made.usage);
    return made;
  };
  const table = await store.embed({ model, embed }, texts);
  return { ...table, usage };
}
