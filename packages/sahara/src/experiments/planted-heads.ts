/**
 * Heads of which is known that refusals need them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { headKey, type HeadId } from '../head.js';

/** What `heads.json` of an example model says. */
export interface PlantedHeads {
  /** Heads that carry the refusals. */
  readonly heads: readonly HeadId[];
  /** What becomes of refusals without some heads. */
  readonly expected: readonly {
    readonly ablated: readonly HeadId[] | string;
    readonly refusals: 'kept' | 'removed';
  }[];
}

/** Reads `heads.json` of an example model. */
export function readPlantedHeads(folder: string): PlantedHeads {
  const text = readFileSync(join(folder, 'heads.json'), 'utf8');
  const { heads, expected } = JSON.parse(text) as PlantedHeads;
  return { heads: heads.map(({ layer, head }) => ({ layer, head })), expected };
}

/** Share of wanted heads among those that were found. */
export function recallOf(wanted: readonly HeadId[], found: readonly HeadId[]): number {
  const names = new Set(found.map(headKey));
  return wanted.filter((head) => names.has(headKey(head))).length / wanted.length;
}
