/**
 * What checks of a model compare.
 */
import { ModelError } from '@lab/core';
import type { Captured } from './captures.js';

/** One check: the largest difference found, and how large it may be. */
export interface ModelCheck {
  readonly name: string;
  readonly difference: number;
  readonly limit: number;
  readonly passed: boolean;
  /** First place of a pass whose values are not all numbers, where that is what failed. */
  readonly place?: string;
}

/** Differences are relative to the largest value that is compared. */
const LIMIT = 1e-4;

/** A check by the difference that it found. */
export const check = (name: string, found: number): ModelCheck => ({
  ...{ name, difference: found, limit: LIMIT, passed: found <= LIMIT },
});

/**
 * Whether values are numbers, and not all the same.
 *
 * @param captured - of the same pass, in its order: where they are no numbers first.
 */
export function valueChecks(
  what: string,
  values: Float32Array,
  captured: ReadonlyMap<string, Captured>,
): ModelCheck[] {
  const isFinite = values.every(Number.isFinite);
  const finite = check(`${what} are finite`, isFinite ? 0 : Number.NaN);
  const place = isFinite ? undefined : firstNotFinite(captured);
  return [
    place === undefined ? finite : { ...finite, place },
    check(`${what} differ`, new Set(values).size > 1 ? 0 : Number.NaN),
  ];
}

function firstNotFinite(captured: ReadonlyMap<string, Captured>): string | undefined {
  for (const [name, { data }] of captured) if (!data.every(Number.isFinite)) return name;
  return undefined;
}

/** What a message says of where a check failed. */
export const placeText = ({ place }: ModelCheck): string =>
  place === undefined ? '' : `, first at ${place}`;

/** The largest difference over the largest value that is wanted; NaN for another length. */
export function difference(found: Float32Array, wanted: ArrayLike<number>): number {
  let [off, scale] = [0, 1e-30];
  for (let place = 0; place < found.length; place += 1) {
    off = Math.max(off, Math.abs(found[place]! - wanted[place]!));
    scale = Math.max(scale, Math.abs(wanted[place]!));
  }
  return found.length === wanted.length ? off / scale : Number.NaN;
}

/** The sum of values, number by number. */
export const summed = (parts: readonly Captured[]): Float64Array =>
  Float64Array.from(parts[0]!.data, (_, place) =>
    parts.reduce((sum, { data }) => sum + data[place]!, 0),
  );

/** How far the sums of rows are from one. */
export function unevenness({ shape, data }: Captured): number {
  const width = shape.at(-1)!;
  const sums = Float64Array.from({ length: data.length / width }, (_, row) =>
    data.subarray(row * width, (row + 1) * width).reduce((sum, share) => sum + share, 0),
  );
  return sums.reduce((most, sum) => Math.max(most, Math.abs(sum - 1)), 0);
}

/**
 * Refuses a model that was loaded and does not fit together; it is disposed then.
 *
 * @throws {ModelError} with the checks that failed.
 */
export function assertChecks(
  checks: readonly ModelCheck[],
  { folder, model }: { readonly folder: string; readonly model: { dispose(): void } },
): void {
  const failed = checks.filter(({ passed }) => !passed);
  if (failed.length === 0) return;
  model.dispose();
  const names = failed.map(
    (one) => `${one.name} (${one.difference.toExponential(1)}${placeText(one)})`,
  );
  throw new ModelError(`${folder}: what is inside does not fit together: ${names.join('; ')}.`, {
    help: 'transformer validate MODEL shows all checks; try another backend.',
  });
}
