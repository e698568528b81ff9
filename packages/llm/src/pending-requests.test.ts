import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ChatRequest } from './chat.js';
import type { LlmClient } from './llm-client.js';
import { LlmFailure } from './llm-failure.js';
import { type PendingRequest, pendingRequests } from './pending-requests.js';
import { createScriptedClient } from './scripted.js';

const ask = (content: string): ChatRequest => ({ messages: [{ role: 'user', content }] });
const client = createScriptedClient({
  answer: ({ messages }) => (messages[0]!.content === 'json' ? '{"a":1}' : 'said'),
});
const hashes = (...contents: readonly string[]) => {
  const known = new Set(contents.map((content) => client.hashOf(ask(content))));
  return { has: (hash: string) => known.has(hash) };
};

/** Two questions at once, then one about their answers. */
async function step(row: string, asking: LlmClient): Promise<string> {
  const settled = await Promise.allSettled(
    [1, 2].map((n) => asking.chat(ask(`${row} first ${n}`))),
  );
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  return (await asking.chat(ask(`${row} then`))).text;
}

async function contentsOf(requests: AsyncIterable<PendingRequest>): Promise<string[]> {
  const found: string[] = [];
  for await (const { request } of requests) found.push(request.messages[0]!.content);
  return found;
}

describe('pendingRequests', () => {
  it('gives the next step of each row, and nothing of a row that has all', async () => {
    const cache = hashes('b first 1', 'b first 2', 'c first 1', 'd first 1', 'd first 2', 'd then');
    const waiting: boolean[] = [];
    const found = await contentsOf(
      pendingRequests(['a', 'b', 'c', 'd'], step, {
        ...{ client, cache, onRow: (isWaiting) => waiting.push(isWaiting) },
      }),
    );
    expect(found).toEqual(['a first 1', 'a first 2', 'b then', 'c first 2']);
    expect(waiting).toEqual([true, true, true, false]);
  });

  it('asks nothing where nothing is kept, also of answers as data', async () => {
    const schema = z.object({ a: z.number() });
    const found: ChatRequest[] = [];
    const asJson = (row: string, asking: LlmClient) => asking.json(ask(row), schema);
    const options = { client, cache: undefined };
    for await (const { request } of pendingRequests(['json'], asJson, options)) {
      found.push(request);
    }
    expect(found).toHaveLength(1);
    expect(found[0]!.responseFormat).toMatchObject({ type: 'json_schema' });
    const known = { has: () => true };
    const rest = pendingRequests(['json'], asJson, { client, cache: known });
    expect(await contentsOf(rest)).toEqual([]);
  });

  it('says for which client each request is', async () => {
    const other = createScriptedClient({ model: 'other', answer: () => 'other' });
    const both = (row: string, first: LlmClient, { second }: Readonly<Record<string, LlmClient>>) =>
      Promise.allSettled([first.chat(ask(row)), second!.chat(ask(row))]).then(([, last]) => {
        if (last.status === 'rejected') throw last.reason;
      });
    const cache = hashes('b');
    const found: string[] = [];
    const options = { client, clients: { second: other }, cache };
    for await (const one of pendingRequests(['a', 'b'], both, options)) {
      found.push(`${one.request.messages[0]!.content} ${one.client.model}`);
    }
    // The answer of one model is not that of another.
    expect(found).toEqual(['a scripted', 'a other', 'b other']);
  });

  it('leaves a row that fails by itself, and throws what is no failure of a call', async () => {
    const failing = (row: string): Promise<unknown> => {
      if (row === 'long') {
        throw new LlmFailure('too long', {
          ...{ kind: 'context-length', isRetryable: false, attempts: 0 },
        });
      }
      throw new TypeError('a bug');
    };
    const options = { client, cache: undefined };
    expect(await contentsOf(pendingRequests(['long'], failing, options))).toEqual([]);
    await expect(contentsOf(pendingRequests(['x'], failing, options))).rejects.toThrow('a bug');
  });
});
