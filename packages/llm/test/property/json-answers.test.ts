import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { askForJson } from '../../src/structured/ask-for-json.js';
import { parseAnswer } from '../../src/structured/parse-answer.js';
import { scanJson } from '../../src/structured/scan-json.js';
import { LlmFailure } from '../../src/index.js';
import { result } from '../chat-result.js';

/** Types of zod would drop a key `__proto__`. */
const container = z.unknown().refine((value) => typeof value === 'object' && value !== null);
/** Nothing that JSON.parse does not give back, such as -0. */
const json = fc
  .jsonValue({ maxDepth: 4 })
  .filter((value) => typeof value === 'object' && value !== null)
  .map((value) => JSON.parse(JSON.stringify(value)) as object);
/**
 * Without closing brackets prose holds no JSON of its own, and without quotes behind an opening one
 * it cannot make another value of what follows: `[1, "` before `["]"]` does.
 */
const prose = fc
  .oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('[', '{', '"', ',', ':', '1', '\\', '`', "'", '\n', ' ') }),
    fc.constantFrom('Sure!\n```json\n', '\n```\nDone.', '<b>', 'x </think>', '[1, '),
  )
  .map((text) => text.replaceAll(/[\]}]/g, ''))
  .map((text) => (/[[{]/.test(text) ? text.replaceAll('"', '') : text));
const broken = fc.string({
  unit: fc.constantFrom(...'[]{}",:\'\\ \n1ea-.tT', 'true', 'None', '"a"', "'b'", '\\u00', '```\n'),
  maxLength: 60,
});

describe('answers in JSON', () => {
  it('are read in any prose', async () => {
    const asked = fc.tuple(prose, json, prose, fc.constantFrom(0, 2));
    await fc.assert(
      fc.asyncProperty(asked, async ([before, value, after, indent]) => {
        const text = `${before}${JSON.stringify(value, null, indent)}${after}`;
        const parsed = await parseAnswer(text, container);
        expect(parsed).toMatchObject({ fits: true, origin: 'direct' });
        expect(parsed.fits && JSON.stringify(parsed.json)).toBe(JSON.stringify(value));
      }),
      { numRuns: 400 },
    );
  });

  it('are those of JSON.parse where that reads a whole text', () => {
    fc.assert(
      fc.property(broken, (text) => {
        const trimmed = text.trim();
        if (!/^[[{]/.test(trimmed)) return;
        const scan = scanJson(trimmed, 0);
        let isJson = true;
        try {
          JSON.parse(trimmed);
        } catch {
          isJson = false;
        }
        expect(scan.isValue && scan.end === trimmed.length).toBe(isJson);
      }),
      { numRuns: 2000 },
    );
  });

  it('are JSON after every repair', () => {
    const allowances = fc.record({
      trailingCommas: fc.boolean(),
      singleQuotes: fc.boolean(),
      controlCharacters: fc.boolean(),
      unclosed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom('[', '{'), broken, allowances, (bracket, text, allowed) => {
        const scan = scanJson(bracket + text, 0, allowed);
        if (scan.isValue) JSON.parse(scan.json);
      }),
      { numRuns: 3000 },
    );
  });

  it('are a prefix of the whole where they are closed', async () => {
    await fc.assert(
      fc.asyncProperty(json, fc.nat(), async (value, cut) => {
        const text = JSON.stringify(value);
        const part = text.slice(0, 1 + (cut % text.length));
        expect(await parseAnswer(part, container, 'length')).toMatchObject({ fits: true });
      }),
    );
  });

  it('fail by LlmFailure alone', async () => {
    const finish = fc.constantFrom('stop', 'length', 'filter', 'tool');
    const schema = z.object({ a: z.number(), b: z.enum(['x']).optional() });
    const anyText = fc.oneof(broken, prose, fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { minLength: 1 }), finish, async (texts, end) => {
        let calls = 0;
        const ask = () =>
          Promise.resolve(result({ text: texts[calls++ % texts.length]!, finish: end }));
        const request = { messages: [{ role: 'user', content: 'x' }] } as const;
        await askForJson(ask, request, schema, { level: 'prompt' }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(LlmFailure);
        });
        expect(calls).toBeLessThan(4);
      }),
      { numRuns: 200 },
    );
  });
});
