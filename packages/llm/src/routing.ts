/**
 * Which of several servers gets a request.
 */
import { createHash } from 'node:crypto';
import { ConfigError } from '@lab/core';
import type { ChatMessage } from './chat.js';

/** One of several servers of the same model. */
export interface Replica {
  /** Share of the requests, relative to the others; default 1. */
  readonly weight: number;
  /** Requests on their way. */
  readonly inFlight: number;
}

/** Chooses among replicas. */
export interface Router<R extends Replica> {
  /**
   * The replica for a request: the same one for prompts that begin alike, so that its cache of
   * prefixes is used, unless it has far more to do than the others.
   *
   * @param messages - of the request; null where nothing is shared.
   * @param failed - replicas that failed this request; they come last.
   */
  choose(messages: readonly ChatMessage[] | null, failed: ReadonlySet<R>): R;
}

/** Characters at the beginning of a prompt that count as shared. */
const PREFIX_CHARACTERS = 2048;

/**
 * Load above a fair share at which a replica is passed over.
 *
 * Source: Mirrokni et al., "Consistent Hashing with Bounded Loads" (2018).
 */
const LOAD_BOUND = 1.25;

/**
 * A router by weighted rendezvous hashing: `score_i = -w_i / ln(h_i)`, with `h_i` in (0, 1) of the
 * prefix and the replica's name. Losing a replica moves only what was its own.
 *
 * @param replicas - by name; at least one.
 * @throws {ConfigError} for no replica and for weights that are not above 0.
 */
export function createRouter<R extends Replica>(replicas: ReadonlyMap<string, R>): Router<R> {
  const all = [...replicas];
  const [only] = all;
  if (only === undefined) throw new ConfigError('llm/client: there is no base URL.');
  for (const [name, { weight }] of all) {
    if (weight > 0 && Number.isFinite(weight)) continue;
    throw new ConfigError(`llm/client: the weight ${weight} of ${name} is not above 0.`);
  }
  if (all.length === 1) return { choose: () => only[1] };
  const weights = all.reduce((sum, [, { weight }]) => sum + weight, 0);
  return {
    choose(messages, failed) {
      const ranked = rank(all, messages === null ? '' : prefixOf(messages));
      const left = ranked.filter((replica) => !failed.has(replica));
      const candidates = left.length === 0 ? ranked : left;
      const busy = 1 + candidates.reduce((sum, { inFlight }) => sum + inFlight, 0);
      const isFree = ({ inFlight, weight }: R): boolean =>
        inFlight < Math.ceil((LOAD_BOUND * busy * weight) / weights);
      return candidates.find(isFree) ?? candidates[0] ?? only[1];
    },
  };
}

function rank<R extends Replica>(all: readonly (readonly [string, R])[], prefix: string): R[] {
  const scored = all.map(([name, replica]) => {
    const digest = createHash('sha256').update(`${name}\n${prefix}`).digest();
    const share = (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
    return { replica, score: -replica.weight / Math.log(share) };
  });
  scored.sort((a, b) => b.score - a.score);
  return scored.map(({ replica }) => replica);
}

function prefixOf(messages: readonly ChatMessage[]): string {
  let prefix = '';
  for (const { role, content } of messages) {
    prefix += `${role}\n${content.slice(0, PREFIX_CHARACTERS)}\n`;
    if (prefix.length >= PREFIX_CHARACTERS) break;
  }
  return prefix.slice(0, PREFIX_CHARACTERS);
}
