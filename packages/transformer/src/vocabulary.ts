/**
 * The two matrices with a row for every token: embeddings, and the output's weights.
 */
import { tf } from '@lab/tensor';
import type { WeightReader } from './weights/block-weights.js';
import { disposeWeights, onBackend } from './weights/on-backend.js';
import { floatsOf } from './weights/stored-numbers.js';
import { matrixOnBackend, matrixRows, pulledRows, timesMatrix } from './weights/weight-matrix.js';

/** Tokens to rows and back. */
export interface Vocabulary {
  /** Embeddings of tokens, `[n, D]`. */
  embed(ids: Int32Array): Promise<tf.Tensor2D>;
  /** Rows `[n, D]` times the output's weights, `[n, V]`. */
  unembed(rows: tf.Tensor2D): Promise<tf.Tensor2D>;
  /** As `unembed`, so many tokens at a time or fewer; each part is the caller's. */
  unembedParts(rows: tf.Tensor2D, tokens: number): AsyncGenerator<tf.Tensor2D>;
  /** Gradients of rows, `[n, D]`, given those of their products with the output, `[n, V]`. */
  pullUnembed(dy: tf.Tensor2D): Promise<tf.Tensor2D>;
  dispose(): void;
}

/** How the two matrices are called, and how large they are. */
export interface VocabularyRules {
  /** Names without `.weight`. */
  readonly embedding: string;
  readonly output: string;
  /** Whether the embeddings are the output's weights, too, unless the files have others. */
  readonly isTied: boolean;
  readonly vocabularySize: number;
  readonly width: number;
}

/** Rows of the output that are read together where its weights are not on the backend. */
export const STRIP = 8192;

/** Both matrices on the backend. */
export async function residentVocabulary(
  rules: VocabularyRules,
  reader: WeightReader,
): Promise<Vocabulary> {
  const { embedding: name } = rules;
  const output = await outputName(rules, reader);
  const weights = onBackend({
    embedding: await reader.matrix(`${name}.weight`),
    output: output === name ? null : await reader.matrix(`${output}.weight`),
  });
  return {
    embed: async (ids) => matrixRows(weights.embedding, ids),
    unembed: async (rows) => timesMatrix(rows, weights.output ?? weights.embedding, null),
    unembedParts: async function* (rows, tokens) {
      const matrix = weights.output ?? weights.embedding;
      if (tokens >= rules.vocabularySize) {
        yield timesMatrix(rows, matrix, null);
        return;
      }
      for (let start = 0; start < rules.vocabularySize; start += tokens) {
        const count = Math.min(tokens, rules.vocabularySize - start);
        const ids = Int32Array.from({ length: count }, (_, at) => start + at);
        yield tf.tidy(() => timesMatrix(rows, matrixRows(matrix, ids), null));
      }
    },
    pullUnembed: async (dy) => pulledRows(dy, weights.output ?? weights.embedding),
    dispose: () => disposeWeights(weights),
  };
}

/** Rows of both matrices read when they are used: single ones, and strips. */
export async function readVocabulary(
  rules: VocabularyRules,
  reader: WeightReader,
): Promise<Vocabulary> {
  const { vocabularySize, width } = rules;
  const output = await outputName(rules, reader);
  const rowOf = async (id: number) =>
    floatsOf(await reader.matrix(`${rules.embedding}.weight`, { start: id, count: 1 }));
  return {
    embed: async (ids) => {
      const rows = new Float32Array(ids.length * width);
      const known = new Map(Array.from(new Set(ids), (id) => [id, rowOf(id)]));
      await Promise.all(known.values());
      for (const [at, id] of ids.entries()) rows.set(await known.get(id)!, at * width);
      return tf.tensor2d(rows, [ids.length, width]);
    },
    unembed: async (rows) => {
      const strips = stripsOf(reader, `${output}.weight`, vocabularySize);
      const parts: tf.Tensor2D[] = [];
      try {
        for await (const strip of strips) {
          const own = matrixOnBackend(strip);
          parts.push(timesMatrix(rows, own, null));
          own.dispose();
        }
        return tf.concat(parts, 1);
      } finally {
        tf.dispose(parts);
      }
    },
    unembedParts: async function* (rows, tokens) {
      const size = Math.min(tokens, STRIP);
      for await (const strip of stripsOf(reader, `${output}.weight`, vocabularySize, size)) {
        const own = matrixOnBackend(strip);
        const products = timesMatrix(rows, own, null);
        own.dispose();
        yield products;
      }
    },
    pullUnembed: async (dy) => {
      let [sum, start] = [tf.zeros<tf.Rank.R2>([dy.shape[0], width]), 0];
      for await (const strip of stripsOf(reader, `${output}.weight`, vocabularySize)) {
        const own = matrixOnBackend(strip);
        const before: tf.Tensor2D = sum;
        sum = tf.tidy(() => {
          const part = tf.slice(dy, [0, start], [-1, strip.rows]);
          return tf.add<tf.Tensor2D>(before, pulledRows(part, own));
        });
        tf.dispose([before, own as tf.TensorContainer]);
        start += strip.rows;
      }
      return sum;
    },
    dispose: () => undefined,
  };
}

/** A matrix in strips of rows; the next is read while one is used. */
async function* stripsOf(reader: WeightReader, name: string, rows: number, size = STRIP) {
  const read = (start: number) => {
    const strip = reader.matrix(name, { start, count: Math.min(size, rows - start) });
    // Who asks for it sees the failure; nobody may.
    strip.catch(() => undefined);
    return strip;
  };
  let ahead = read(0);
  for (let start = 0; start < rows; start += size) {
    const own = await ahead;
    if (start + size < rows) ahead = read(start + size);
    yield own;
  }
}

/** Name of the output's weights: the embedding's where files have no other numbers for it. */
export async function outputName(
  { embedding, output, isTied, vocabularySize }: VocabularyRules,
  reader: WeightReader,
): Promise<string> {
  if (!isTied) return output;
  if (!reader.has(`${output}.weight`)) return embedding;
  const tied = stripsOf(reader, `${embedding}.weight`, vocabularySize);
  for await (const strip of stripsOf(reader, `${output}.weight`, vocabularySize)) {
    const wanted = await tied.next();
    if (wanted.done === true) break;
    const [own, other] = [floatsOf(strip), floatsOf(wanted.value)];
    if (own.some((value, at) => value !== other[at])) return output;
  }
  return embedding;
}
