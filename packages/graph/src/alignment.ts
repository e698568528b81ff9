import { DataError, type OnDefect, sha256, throwDefect } from '@lab/core';
import type { AlignmentData } from './knowledge-graph.js';
import { pairKey, pairsWithout } from './link-table.js';
import { readSeeds } from './seed-file.js';

/** Links divided into training seeds, validation and test; all interleaved dense pairs. */
export interface LinkSplit {
  readonly seeds: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
  /** Where the seeds came from, in words. */
  readonly origin: string;
  /** Seeds that are not among the gold links (own or automatic seeds). */
  readonly seedsOutsideLinks: number;
}

/** Options of {@link splitLinks}. */
export interface SplitOptions {
  /** File of seeds, `KG1 id<TAB>KG2 id`; goes before `share` and the provided split. */
  readonly seedsFile?: string | undefined;
  /** Seeds as interleaved dense pairs, e.g. from `automaticSeeds`; goes before everything. */
  readonly seeds?: Int32Array | undefined;
  /** What `seeds` are, in words; default `given pairs`. */
  readonly origin?: string | undefined;
  /** Share of the links that become seeds by the SHA-256 rule, 0..1. */
  readonly share?: number | undefined;
  /** Share of the seeds that is kept back for validation, default 0. */
  readonly validationShare?: number | undefined;
  /**
   * Whether too few seeds or test pairs are a defect, default true; false where the links were
   * read with defects, of which a wrong number is a consequence.
   */
  readonly judgeCounts?: boolean | undefined;
  readonly onDefect?: OnDefect | undefined;
}

const defaultShare = 0.3;

/**
 * The pairs in the order of the SHA-256 digest of `KG1 name<TAB>KG2 name` (as lower-case hex), so
 * that a split hangs on no random generator and on no file order.
 *
 * @param data - entity names.
 * @param pairs - interleaved dense pairs.
 */
export function sortByDigest(
  data: Pick<AlignmentData, 'entityNames'>,
  pairs: Int32Array,
): Int32Array {
  const keyed: { readonly digest: string; readonly left: number; readonly right: number }[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const left = pairs[i] as number;
    const right = pairs[i + 1] as number;
    const digest = sha256(`${data.entityNames[left]}\t${data.entityNames[right]}`);
    keyed.push({ digest, left, right });
  }
  keyed.sort((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0));
  return Int32Array.from(keyed.flatMap(({ left, right }) => [left, right]));
}

function checkShare(share: number, name: string, onDefect: OnDefect): number {
  if (share >= 0 && share < 1) return share;
  const help = 'Give a share of at least 0 and below 1, e.g. 0.3.';
  onDefect(new DataError(`graph/splitLinks: ${name} is ${share}.`, { field: name, help }));
  return 0;
}

function countShare(pairs: number, share: number): number {
  return Math.floor(pairs * share + 1e-9);
}

async function chooseSeeds(
  data: AlignmentData,
  options: SplitOptions,
  onDefect: OnDefect,
): Promise<{ seeds: Int32Array; origin: string }> {
  if (options.seeds !== undefined) {
    return { seeds: options.seeds, origin: options.origin ?? 'given pairs' };
  }
  if (options.seedsFile !== undefined) {
    const seeds = await readSeeds(options.seedsFile, data, { onDefect });
    return { seeds, origin: `file ${options.seedsFile}` };
  }
  if (options.share === undefined && data.providedSplit !== null) {
    return { seeds: data.providedSplit.seeds, origin: 'split that came with the data' };
  }
  const share = checkShare(options.share ?? defaultShare, 'share', onDefect);
  const sorted = sortByDigest(data, data.links);
  const seeds = sorted.slice(0, 2 * countShare(sorted.length / 2, share));
  return { seeds, origin: `first ${Math.round(share * 1000) / 10} % by SHA-256` };
}

/**
 * Seeds, validation and test pairs of the gold links: a seed file, else the first `share` of the
 * links sorted by SHA-256, else the split that came with the data, else 30 % by SHA-256. The test
 * pairs are all other links. Validation pairs are the last `validationShare` of the seeds in
 * SHA-256 order.
 *
 * @param data - entity names and links.
 * @param options - where seeds come from.
 * @throws {DataError} when no seed is left, or a share or the split that came with the data leaves
 * no link to test (seeds in a file or given as pairs may take all).
 */
export async function splitLinks(
  data: AlignmentData,
  options: SplitOptions = {},
): Promise<LinkSplit> {
  const onDefect = options.onDefect ?? throwDefect;
  const { seeds: all, origin } = await chooseSeeds(data, options, onDefect);
  const test = pairsWithout(data.links, all);
  const validationShare = checkShare(options.validationShare ?? 0, 'validationShare', onDefect);
  const validationCount = countShare(all.length / 2, validationShare);
  const ordered = validationCount > 0 ? sortByDigest(data, all) : all;
  const seeds = ordered.slice(0, ordered.length - 2 * validationCount);
  if (options.judgeCounts ?? true) {
    judgeCounts(data, { seeds, test, origin }, { ...options, onDefect });
  }
  const validation = ordered.slice(seeds.length);
  return {
    seeds,
    validation,
    test,
    origin: validationCount > 0 ? `${origin} less ${validationCount} for validation` : origin,
    seedsOutsideLinks: countOutside(data.links, all),
  };
}

/** Reports a split without seeds or, where seeds were chosen from the links, without test pairs. */
function judgeCounts(
  data: Pick<AlignmentData, 'links'>,
  { seeds, test, origin }: Pick<LinkSplit, 'seeds' | 'test' | 'origin'>,
  options: SplitOptions & { readonly onDefect: OnDefect },
): void {
  const links = data.links.length / 2;
  const isGiven = options.seeds !== undefined || options.seedsFile !== undefined;
  if (seeds.length === 0) {
    if (options.seedsFile !== undefined) return; // its reader has said so
    const message = `graph/splitLinks: 0 of ${links} links are seeds (${origin}).`;
    const help = 'Give a larger share, a seed file, or automatic seeds.';
    options.onDefect(new DataError(message, { help }));
  } else if (links > 0 && test.length === 0 && !isGiven) {
    const message = `graph/splitLinks: all ${links} links are seeds, 0 to test.`;
    const help = 'Give a share of the links that are seeds, or a seed file.';
    options.onDefect(new DataError(message, { help }));
  }
}

function countOutside(links: Int32Array, seeds: Int32Array): number {
  const known = new Set<number>();
  for (let i = 0; i < links.length; i += 2) {
    known.add(pairKey(links[i] as number, links[i + 1] as number));
  }
  let outside = 0;
  for (let i = 0; i < seeds.length; i += 2) {
    if (!known.has(pairKey(seeds[i] as number, seeds[i + 1] as number))) outside += 1;
  }
  return outside;
}
