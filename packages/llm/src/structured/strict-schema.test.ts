import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { strictJsonSchema } from './strict-schema.js';

describe('strictJsonSchema', () => {
  it('requires every key, and lets those be null that may be absent', () => {
    const schema = z.object({
      a: z.number().optional(),
      b: z.enum(['x', 'y']).default('x'),
      c: z.literal('k').optional(),
      d: z.union([z.string(), z.number()]).optional(),
      e: z.string().nullable().optional(),
      f: z.array(z.object({ g: z.int().optional() })),
    });
    expect(strictJsonSchema(schema)).toEqual({
      type: 'object',
      properties: {
        a: { type: ['number', 'null'] },
        b: { type: ['string', 'null'], enum: ['x', 'y', null] },
        c: { anyOf: [{ type: 'string', const: 'k' }, { type: 'null' }] },
        d: { type: ['string', 'number', 'null'] },
        e: { type: ['string', 'null'] },
        f: {
          type: 'array',
          items: {
            type: 'object',
            properties: { g: { type: ['integer', 'null'] } },
            required: ['g'],
            additionalProperties: false,
          },
        },
      },
      required: ['a', 'b', 'c', 'd', 'e', 'f'],
      additionalProperties: false,
    });
  });

  it('keeps ranges that are meant, and tables', () => {
    const schema = z.object({ n: z.int().min(1).max(9), t: z.record(z.string(), z.number()) });
    expect(strictJsonSchema(schema)).toMatchObject({
      properties: {
        n: { minimum: 1, maximum: 9 },
        t: { additionalProperties: { type: 'number' } },
      },
    });
  });

  it('follows recursive types', () => {
    interface Tree {
      name: string;
      children?: Tree[] | undefined;
    }
    const tree: z.ZodType<Tree> = z.object({
      name: z.string(),
      children: z.lazy(() => z.array(tree)).optional(),
    });
    const text = JSON.stringify(strictJsonSchema(tree));
    expect(text).toContain('"additionalProperties":false');
    expect(text).toContain('"required":["name","children"]');
  });
});
