/**
 * Random groups of heads, to know what any so many heads would do.
 */
import { ConfigError, createRandom } from '@lab/core';
import { allHeads, type HeadCounts, headKey, type HeadId } from '../head.js';

/** How random groups are drawn. */
export interface RandomHeadsOptions {
  /** Heads of a group, at least 1. */
  readonly size: number;
  /** Groups; default 20. */
  readonly draws?: number | undefined;
  readonly seed: number;
  /** Heads that are never drawn: those that were found. */
  readonly except?: readonly HeadId[] | undefined;
  /**
   * Draws each head from the layer of one that was found: tells heads apart from layers. Default
   * false: from all layers.
   */
  readonly sameLayers?: readonly HeadId[] | undefined;
}

/**
 * Groups of different heads, each drawn without repetition; equal seeds give equal groups.
 *
 * @throws {ConfigError} where fewer heads are left than a group needs.
 */
export function randomHeads(
  counts: HeadCounts,
  { size, draws = 20, seed, except = [], sameLayers }: RandomHeadsOptions,
): HeadId[][] {
  const left = new Set(except.map(headKey));
  const free = allHeads(counts).filter((head) => !left.has(headKey(head)));
  const random = createRandom(seed).fork('random-heads');
  const fail = (what: string) =>
    new ConfigError(`sahara/random-heads: ${what}.`, {
      help: 'Draw fewer heads, or from all layers.',
    });
  if (!(Number.isInteger(size) && size >= 1 && size <= free.length)) {
    throw fail(`${size} heads of the ${free.length} that are free`);
  }
  return Array.from({ length: draws }, (_, draw) => {
    const own = random.fork(`draw-${draw}`);
    if (sameLayers === undefined) {
      return Array.from(own.permutation(free.length).subarray(0, size), (at) => free[at]!);
    }
    const taken = new Set<string>();
    return sameLayers.slice(0, size).map(({ layer }) => {
      const here = free.filter((head) => head.layer === layer && !taken.has(headKey(head)));
      if (here.length === 0) throw fail(`layer ${layer} has no further head that is free`);
      const head = here[own.integer(here.length)]!;
      taken.add(headKey(head));
      return head;
    });
  });
}
