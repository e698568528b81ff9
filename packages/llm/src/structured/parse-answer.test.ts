import { cpuMilliseconds } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseAnswer } from './parse-answer.js';

const schema = z.object({ verdict: z.enum(['A', 'B', 'tie']), score: z.number().optional() });

/** Of the processor: a megabyte takes about a second, a quadratic parser many minutes. */
const hostileLimitMs = 20_000;

async function read(text: string, finish: 'length' | 'stop' = 'stop') {
  const parsed = await parseAnswer(text, schema, finish);
  return parsed.fits ? { origin: parsed.origin, ...parsed.json } : parsed.problems.join('; ');
}

describe('parseAnswer', () => {
  it.each([
    ['{"verdict":"A"}'],
    ['Sure! Here it is:\n```json\n{"verdict":"A"}\n```\nHope that helps {smile}.'],
    ['```\n{"verdict":"B"}\n```\nNo, on second thoughts:\n```json\n{"verdict":"A"}\n```'],
    ['<think>{"verdict":"B"}</think>{"verdict":"A"}'],
    ['maybe {"verdict":"B"} or so </think>\n\n{"verdict":"A"}'],
    ['First I thought {"verdict":"B"}, in the end {"verdict":"A"} [1].'],
    ['{"verdict":"A","score":null}'],
    ['The answer is {"verdict":"A"}'],
    ['```json {"verdict":"A"}```'],
    ['He said "look { here: {"verdict":"A"} and ["'],
    ['[[[{"verdict":"A"}'],
    ['```json\n{"verdict":"A"}'],
  ])('reads %j directly', async (text) => {
    expect(await read(text)).toMatchObject({ origin: 'direct', verdict: 'A' });
  });

  it.each([
    ['{"verdict":"A",}'],
    ["{'verdict': 'A'}"],
    ['{"verdict":"A","note":"one\ntwo"}'],
    ['{"verdict":" a "}'],
    ["Well: {'verdict': 'a', 'score': '3', 'why': 'it's so',}"],
  ])('repairs %j', async (text) => {
    expect(await read(text)).toMatchObject({ origin: 'repaired', verdict: 'A' });
  });

  it('closes brackets only of what was cut', async () => {
    expect(await read('{"verdict":"A","score":1')).toMatch(/no JSON/);
    expect(await read('{"verdict":"A","score":1', 'length')).toMatchObject({ verdict: 'A' });
    const parsed = await parseAnswer('{"verdict":"A","no', schema, 'length');
    expect(parsed).toMatchObject({ fits: true, isCut: true, origin: 'repaired' });
  });

  it('takes no part of a broken value, and no draft before one that was cut', async () => {
    const loose = z.object({ a: z.number().optional() });
    const broken = await parseAnswer('{"a": 1, "b": {"a": 2},}', loose);
    expect(broken).toMatchObject({ json: { a: 1 }, origin: 'repaired' });
    const code = await parseAnswer('{"a": 1, "code": "\n```js\nf({})\n```\n"}', loose);
    expect(code).toMatchObject({ json: { a: 1 }, origin: 'repaired' });
    const cut = await parseAnswer('{"b": [{"a": 2}, {"a": 3', loose, 'length');
    expect(cut).toMatchObject({ json: {}, isCut: true });
    const draft = '{"verdict":"B"}, no: {"score":1,"verdict":"A","wh';
    expect(await parseAnswer(draft, schema, 'length')).toMatchObject({
      json: { verdict: 'A' },
      isCut: true,
    });
    expect(await read('{"verdict":"B"} See [1', 'length')).toMatchObject({ verdict: 'B' });
  });

  it('says what does not fit', async () => {
    expect(await read('{"verdict":"C","score":"high"}')).toMatch(/verdict: .*score: /);
    expect(await read('I will not answer.')).toBe('The answer holds no JSON object or array.');
    expect(await read('<think>{"verdict":"A"}')).toMatch(/no JSON/);
  });

  it('keeps closing tags and fences inside texts', async () => {
    const json = { text: 'a </think> b ```\n```json\n{"verdict":"B"}\n```' };
    const parsed = await parseAnswer(
      `So: ${JSON.stringify(json)}.`,
      z.object({ text: z.string() }),
    );
    expect(parsed).toMatchObject({ json });
  });

  it('reads scalars only where they are the whole answer', async () => {
    expect(await parseAnswer('3', z.number())).toMatchObject({ json: 3 });
    expect(await parseAnswer(' "x" ', z.string())).toMatchObject({ json: 'x' });
    expect(await parseAnswer('It is 3', z.number())).toMatchObject({ fits: false });
  });

  it('cannot reach a prototype', async () => {
    const text = '{"__proto__": {"isAdmin": true}, "verdict": "a"}';
    await read(text);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each([
    ['[', '[', 1_000_000],
    ['{', '{', 1_000_000],
    ['balanced brackets', '', 1_000_000],
    ['{"a":', '{"a":', 300_000],
    ['["[', '["["', 300_000],
    ['["[",', '["[",', 300_000],
    ["{'", "{'", 300_000],
    ["' ", "['       ", 300_000],
    ['```', '```\n', 300_000],
    ['</think>', '</think>{', 300_000],
    ['[,]', '[,]', 300_000],
    ['"', '"', 300_000],
    ['\\', '["\\', 300_000],
  ])(
    'ends soon on many of %s',
    async (_, unit, length) => {
      const text =
        unit === ''
          ? '['.repeat(length / 2) + ']'.repeat(length / 2)
          : unit.repeat(length / unit.length);
      const spent = await cpuMilliseconds(() => parseAnswer(text, schema, 'length'));
      expect(spent).toBeLessThan(hostileLimitMs);
    },
    hostileLimitMs * 20,
  );
});
