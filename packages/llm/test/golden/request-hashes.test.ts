import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { StructuredLevel } from '../../src/chat.js';
import { type ChatRequest, type HashContext, openAnswerStore } from '../../src/index.js';
import { hashedText, requestHash } from '../../src/request-hash.js';
import { withSchema } from '../../src/structured/with-schema.js';

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

interface Golden {
  readonly name: string;
  readonly request: ChatRequest;
  readonly context: HashContext;
  readonly text: string;
  readonly hash: string;
}
const golden = JSON.parse(readFileSync(fileOf('request-hashes.json'), 'utf8')) as Golden[];

// What changes here makes every answer worthless that users have kept: a breaking change.
describe('canonical JSON and hashes stay the same over releases', () => {
  it.each(golden)('$name', ({ request, context, text, hash }) => {
    expect(hashedText(request, context)).toBe(text);
    expect(canonicalJson(JSON.parse(text))).toBe(text);
    expect(requestHash(request, context)).toBe(hash);
  });

  it.each(['json-schema', 'server-field', 'json-object', 'prompt'] satisfies StructuredLevel[])(
    'those of answers as data, by %s',
    (level) => {
      const schema = z.object({
        reason: z.string(),
        verdict: z.enum(['yes', 'no']),
        score: z.number().optional(),
      });
      const { messages } = golden[0]!.request;
      const found = golden.find(({ name }) => name === `schema by ${level}`);
      const { context, hash } = found!;
      expect(requestHash(withSchema({ messages }, schema, level), context)).toBe(hash);
    },
  );
});

describe('answers of an earlier release', () => {
  it('are found, packed and not', async () => {
    const dir = temporaryFolder();
    for (const name of [
      'answers-golden-1-000000000001.jsonl',
      'answers-golden-2-000000000002.jsonl.gz',
    ]) {
      copyFileSync(fileOf(name), join(dir, name));
    }
    const store = openAnswerStore(dir);
    const texts = await Promise.all(golden.map(async ({ hash }) => (await store.get(hash))?.text));
    expect(texts).toEqual(golden.map(({ name }) => `answer to ${name}`));
    const [first] = golden;
    expect(await store.get(first!.hash)).toEqual({
      hash: first!.hash,
      servedModel: 'tiny-served',
      text: 'answer to plain',
      reasoning: 'thought',
      logprobs: [{ token: 'a', logprob: -0.5, top: [] }],
      finish: 'stop',
      usage: { prompt: 7, completion: 3, cached: 1, reasoning: 2, isEstimated: false },
      latencyMs: 12,
    });
    await store.close();
  });
});
