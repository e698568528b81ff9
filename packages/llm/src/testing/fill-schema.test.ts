import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { textHash } from './fake-hash.js';
import { fillSchema } from './fill-schema.js';

const schemas: Readonly<Record<string, z.ZodType>> = {
  flat: z.strictObject({
    reason: z.string(),
    verdict: z.enum(['a', 'b', 'c']),
    score: z.int().min(1).max(5),
    share: z.number().min(0).max(1),
    sure: z.boolean(),
    nothing: z.null(),
    always: z.literal('this'),
  }),
  nested: z.strictObject({
    items: z.array(z.strictObject({ name: z.string().min(3).max(8), tags: z.array(z.string()) })),
    maybe: z.string().nullable(),
    either: z.union([z.int(), z.strictObject({ deep: z.boolean() })]),
    both: z.intersection(z.object({ x: z.int() }), z.object({ y: z.int() })),
    pair: z.tuple([z.string(), z.int()]),
    two: z.array(z.int()).min(2).max(2),
  }),
  bounds: z.strictObject({
    open: z.number().gt(0).lt(1),
    even: z.int().min(10).max(20).multipleOf(2),
    negative: z.int().max(-5),
    any: z.int(),
    above: z.int().gt(3),
  }),
  formats: z.strictObject({
    day: z.iso.date(),
    at: z.iso.datetime(),
    mail: z.email(),
    id: z.uuid(),
    link: z.url(),
  }),
};

describe('fillSchema', () => {
  it.each(Object.keys(schemas))('obeys a schema of zod: %s', (name) => {
    const schema = schemas[name] ?? z.never();
    const plain = z.toJSONSchema(schema) as Record<string, unknown>;
    const seen = new Set<string>();
    for (let i = 0; i < 50; i += 1) {
      const value = fillSchema(plain, textHash(`prompt ${i}`));
      expect(schema.safeParse(value).error?.message).toBeUndefined();
      seen.add(JSON.stringify(value));
    }
    expect(seen.size).toBeGreaterThan(name === 'formats' ? 0 : 20);
  });

  it('ends schemas that refer to themselves', () => {
    const node = {
      type: 'object',
      properties: {
        value: { type: 'integer' },
        next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
        children: { type: 'array', items: { $ref: '#/$defs/node' } },
      },
      required: ['value', 'next', 'children'],
    };
    const schema = { $ref: '#/$defs/node', $defs: { node } };
    for (let i = 0; i < 20; i += 1) {
      expect(fillSchema(schema, textHash(`${i}`))).toHaveProperty('value');
    }
  });

  it('takes one of several types, and text where nothing is said', () => {
    const schema = { type: 'object', properties: { a: { type: ['string', 'null'] }, b: {} } };
    const values = Array.from({ length: 20 }, (_, i) => fillSchema(schema, textHash(`${i}`)));
    const kinds = values.map((value) => (value as { a: unknown }).a === null);
    expect(new Set(kinds)).toEqual(new Set([true, false]));
    expect(values[0]).toMatchObject({ b: expect.any(String) });
  });
});
