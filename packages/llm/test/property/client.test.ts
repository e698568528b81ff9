import { canonicalJson } from '@lab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventStream } from '../../src/event-stream.js';
import { splitReasoning } from '../../src/reasoning.js';
import { createRedactor } from '../../src/redact.js';
import { hashedText } from '../../src/request-hash.js';
import { createFairQueue } from '../../src/limits/fair-queue.js';

const message = fc.record({
  role: fc.constantFrom('assistant' as const, 'system' as const, 'user' as const),
  content: fc.string({ unit: 'binary' }),
});
const request = fc.record(
  {
    messages: fc.array(message, { minLength: 1, maxLength: 4 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
    maxTokens: fc.integer({ min: 1, max: 1e6 }),
    stop: fc.array(fc.string()),
    seed: fc.integer(),
    topLogprobs: fc.nat(20),
    extra: fc.dictionary(fc.string(), fc.jsonValue()),
    sample: fc.nat(),
  },
  { requiredKeys: ['messages'] },
);

describe('hashedText', () => {
  it('is canonical JSON of whatever request', () => {
    fc.assert(
      fc.property(request, fc.string(), (one, model) => {
        const text = hashedText(one, { server: 'http://a/v1', model });
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });
});

describe('createEventStream', () => {
  it('gives back what was sent, wherever it is cut', () => {
    const line = fc.string().map((text) => text.replace(/[\r\n]/g, ' '));
    fc.assert(
      fc.property(fc.array(line), fc.integer({ min: 1, max: 9 }), (lines, size) => {
        const read: string[] = [];
        const stream = createEventStream((data) => read.push(data));
        const sent = lines.map((one) => `data: ${one}\r\n\r\n`).join('');
        for (let at = 0; at < sent.length; at += size) stream.push(sent.slice(at, at + size));
        stream.end();
        expect(read).toEqual(lines);
      }),
    );
  });
});

describe('splitReasoning', () => {
  it('gives a text that is the end of the content', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('<think>', '</think>', '\n', '[THINK]'));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const content = parts.join('');
        const { text, textStart } = splitReasoning(content);
        expect(content.slice(textStart)).toBe(text);
      }),
    );
  });
});

describe('createRedactor', () => {
  it('leaves no secret in any text', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/=@:"%-]{6,40}$/);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (one, before, after) => {
        const redact = createRedactor([one]);
        fc.pre(!before.includes(one) && !after.includes(one) && !'[redacted]'.includes(one));
        expect(redact(`${before}${one}${after}`)).not.toContain(one);
        expect(redact(JSON.stringify({ text: one }))).not.toContain(one);
      }),
    );
  });
});

describe('createFairQueue', () => {
  it('keeps the order of each name and loses nothing', () => {
    const item = fc.record({ name: fc.constantFrom('a', 'b', 'c'), isFirst: fc.boolean() });
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const queue = createFairQueue<number>();
        for (const [index, { name, isFirst }] of items.entries()) queue.add(name, index, isFirst);
        const taken: number[] = [];
        while (queue.size > 0) taken.push(queue.take()!);
        expect(taken.toSorted((a, b) => a - b)).toEqual(items.map((_, index) => index));
        for (const name of ['a', 'b', 'c']) {
          const own = taken.filter(
            (index) => items[index]!.name === name && !items[index]!.isFirst,
          );
          expect(own).toEqual(own.toSorted((a, b) => a - b));
        }
      }),
    );
  });
});
