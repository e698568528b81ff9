import { ConfigError, type Random } from '@lab/core';
import { qr } from '../linalg/qr.js';
import { tf } from '../tfjs.js';
import { type RowSource, sizeOf } from './similarity-rows.js';

/** Options of {@link principalSubspace}. */
export interface PrincipalSubspaceOptions {
  /** Directions, K. */
  readonly rank: number;
  /** Stream of the start. */
  readonly random: Random;
  /** Products with the rows and their transpose; more come nearer. Default 3. */
  readonly rounds?: number;
}

/**
 * Directions in which rows say most: an orthonormal basis near that of the K largest singular
 * values of X, so that the products of rows differ least from those of their coordinates `X Q`.
 *
 * `Q <- qr(X^T X Q)`, from normal random numbers; the rows are not centred.
 * Source: Halko, Martinsson and Tropp 2011, algorithm 4.4; equation not verified.
 * Deviation: orthonormalised once a round, in float64.
 *
 * @param rows - X, `[N, D]`, on the backend or in the host's memory.
 * @returns Q, row-major `[D, K]`.
 * @throws {ConfigError} when K is not in 1..D.
 */
export async function principalSubspace(
  rows: RowSource,
  { rank, random, rounds = 3 }: PrincipalSubspaceOptions,
): Promise<Float32Array> {
  const [rowCount, width] = sizeOf(rows);
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= width)) {
    throw new ConfigError(`tensor/principalSubspace: rank is ${rank}, the rows have ${width}.`, {
      help: `Give a whole number from 1 to ${width}.`,
    });
  }
  const x = 'values' in rows ? tf.tensor2d(rows.values, [rowCount, width]) : tf.clone(rows);
  try {
    let basis = orthonormal(random.fillNormal(new Float32Array(width * rank)), { width, rank });
    for (let round = 0; round < rounds; round += 1) {
      const next = tf.tidy(() => {
        const q = tf.tensor2d(basis, [width, rank]);
        return tf.matMul(x, tf.matMul(x, q), true);
      });
      basis = orthonormal(await next.data(), { width, rank });
      next.dispose();
    }
    return basis;
  } finally {
    x.dispose();
  }
}

function orthonormal(
  data: ArrayLike<number>,
  { width, rank }: { readonly width: number; readonly rank: number },
): Float32Array {
  return Float32Array.from(qr({ rows: width, columns: rank, data }).q.data);
}
