/** The flags of a run, as its record keeps them and as a run that goes on takes them over. */
import { dirname, join } from 'node:path';
import { readRunRecord } from '@lab/core';
import { parseAddress } from '../redact.js';
import type { Shard } from '../rows/shard.js';
import type { FlagValues } from './flag-values.js';

/** Flags of one call and not of its run. */
const callOnly = ['allowMixed', 'dryRun', 'exportBatch', 'out', 'record', 'resume', 'shard'];

/**
 * Names of the flags that limit a run, and of the key: with {@link passedFlags} a command keeps
 * them out of what goes on, where each process of a run has limits of its own.
 */
export const processFlags: readonly string[] = [
  ...['apiKeyFile', 'budgetUsd', 'maxCalls', 'maxErrors', 'maxTotalTokens'],
];

/**
 * The flags that whoever goes on with a run takes over, for its record: addresses are without
 * credentials and queries, which may hold keys.
 *
 * @param own - names of further flags that are of one call alone.
 */
export function passedFlags(
  options: FlagValues,
  own: readonly string[] = [],
): Record<string, unknown> {
  const left = new Set([...callOnly, ...own]);
  const kept = Object.entries(options).flatMap(([name, value]) => {
    if (left.has(name)) return [];
    if (!/baseUrl$/i.test(name)) return [[name, value] as const];
    const urls = addressesOf(value);
    if (urls.length === 0) return [];
    return [[name, urls.length === 1 ? urls[0] : urls] as const];
  });
  return Object.fromEntries(kept);
}

/** What may be shown of one address, or of several. */
function addressesOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((url: unknown) => {
    const address = typeof url === 'string' ? parseAddress(url) : null;
    return address === null ? [] : [address.url];
  });
}

/**
 * The command as passed, for the record of a run: addresses are without what may be a key.
 *
 * @param program - name of the program, e.g. `llm`.
 * @param words - what follows it; default those of this process.
 */
export function passedCommand(
  program: string,
  words: readonly string[] = process.argv.slice(2),
): string[] {
  return [program, ...words.map(withoutCredentials)];
}

/** A text without what stands before the host of an address in it, and behind its question mark. */
export function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^/@]*@/, '://').replace(/(:\/\/[^?\s]*)\?.*/, '$1');
}

/**
 * The flags given, and with `--resume DIR` under them those that the run in that folder was begun
 * with, its folder and its shard.
 *
 * @throws {DataError} where there is no run.
 */
export function withEarlierFlags(given: FlagValues): FlagValues {
  const dir = given['resume'];
  if (typeof dir !== 'string') return given;
  const { passed, resolved } = readRunRecord(dir).config;
  const { shard = null } = (resolved ?? {}) as { readonly shard?: Shard | null };
  const place =
    shard === null
      ? { out: dir }
      : { out: dirname(join(dir)), shard: `${shard.index}/${shard.count}` };
  return { ...(passed as FlagValues | undefined), ...place, ...given };
}
