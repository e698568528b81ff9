import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fitSchema } from './fit-schema.js';

async function fit(schema: z.ZodType, json: unknown) {
  const result = await fitSchema(schema, json);
  return result.fits ? result.value : result.problems;
}

describe('fitSchema', () => {
  it.each([
    [z.object({ n: z.number() }), { n: ' 3.5 ' }, { n: 3.5 }],
    [z.object({ n: z.int() }), { n: '7' }, { n: 7 }],
    [z.object({ b: z.boolean() }), { b: 'True' }, { b: true }],
    [z.object({ e: z.enum(['Good', 'bad']) }), { e: ' good\n' }, { e: 'Good' }],
    [z.object({ l: z.literal([1, 2]) }), { l: '2' }, { l: 2 }],
    [z.object({ o: z.string().optional() }), { o: null }, {}],
    [z.object({ o: z.string().default('x') }), { o: null }, { o: 'x' }],
    [z.object({ o: z.string().nullable() }), { o: null }, { o: null }],
    [z.array(z.object({ n: z.number() })), [{ n: '1' }, { n: 2 }], [{ n: 1 }, { n: 2 }]],
    [z.record(z.string(), z.number()), { a: '1' }, { a: 1 }],
    [z.union([z.number(), z.boolean()]), 'true', true],
    [
      z.object({ u: z.union([z.object({ n: z.number() }), z.null()]) }),
      { u: { n: '4' } },
      { u: { n: 4 } },
    ],
    [z.object({ a: z.object({ n: z.number() }).optional() }), { a: { n: '1' } }, { a: { n: 1 } }],
  ])('corrects %#', async (schema, json, expected) => {
    expect(await fit(schema, json)).toEqual(expected);
  });

  it.each([
    [z.object({ n: z.number() }), { n: 'three' }],
    [z.object({ n: z.number() }), { n: '' }],
    [z.object({ n: z.int().max(5) }), { n: '7' }],
    [z.object({ n: z.number() }), { n: null }],
    [z.array(z.number()), [null]],
    [z.enum(['a', 'A']), ' a '],
    [z.strictObject({ a: z.string() }), { a: 'x', b: 1 }],
  ])('leaves %# as it is', async (schema, json) => {
    const before = JSON.stringify(json);
    expect((await fitSchema(schema as z.ZodType, json)).fits).toBe(false);
    expect(JSON.stringify(json)).toBe(before);
  });

  it('takes null for an absent key without calling it a change', async () => {
    const schema = z.object({ o: z.number().optional() });
    expect(await fitSchema(schema, { o: null })).toMatchObject({ fits: true, isChanged: false });
    expect(await fitSchema(schema, { o: '1' })).toMatchObject({ fits: true, isChanged: true });
  });

  it('names the places of problems', async () => {
    expect(await fit(z.object({ a: z.array(z.number()) }), { a: [1, 'x'] })).toEqual([
      expect.stringMatching(/^a\.1: .*number/),
    ]);
  });
});
