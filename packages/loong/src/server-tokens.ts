/**
 * Tokens as the server of a model counts them.
 */
import { sha256 } from '@lab/core';
import type { LlmClient } from '@lab/llm';
import type { TokenCounter } from './tokens.js';

/** A text of one token in every vocabulary that is in use. */
const oneToken = 'x';
/** Counts that are kept; the oldest go first. */
const keptCounts = 50_000;

/**
 * Counts by the server's own tokenizer: each text once, and each prompt as a whole with what its
 * chat format adds, as the server's usage says it.
 *
 * @param client - whose `count` asks the server (capability `tokenize`).
 */
export function createServerCounter(client: Pick<LlmClient, 'count'>): TokenCounter {
  const counts = new Map<string, Promise<number>>();
  let overhead: Promise<number> | undefined;
  const asked = async (content: string): Promise<number> =>
    (await client.count([{ role: 'user', content }])).tokens;
  // A call that failed is made again, by whoever asks next.
  const overheadOf = () => {
    const counted = (overhead ??= asked(oneToken).then((tokens) => tokens - 1));
    counted.catch(() => {
      if (overhead === counted) overhead = undefined;
    });
    return counted;
  };
  const count = (text: string): Promise<number> => {
    if (text === '') return Promise.resolve(0);
    const key = sha256(text);
    const known = counts.get(key);
    if (known !== undefined) return known;
    const counted = Promise.all([asked(text), overheadOf()]).then(([all, own]) => all - own);
    if (counts.size >= keptCounts) counts.delete(counts.keys().next().value!);
    counts.set(key, counted);
    counted.catch(() => {
      if (counts.get(key) === counted) counts.delete(key);
    });
    return counted;
  };
  return {
    name: 'server',
    count,
    overhead: overheadOf,
    joined: async (parts) => asked(parts.join('')),
  };
}
