import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkOptions } from './call-options.js';
import { ConfigError } from './errors.js';

const schema = z.strictObject({
  epochs: z.int().min(1).optional(),
  matching: z.enum(['best', 'mutual']).optional(),
  onProgress: z.custom((value) => typeof value === 'function', 'must be a function').optional(),
  own: z.strictObject({ source: z.string(), links: z.string().optional() }).optional(),
});

function problemOf(options: unknown): ConfigError {
  try {
    checkOptions('x/train', options, schema);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the options were accepted');
}

describe('checkOptions', () => {
  it('lets good options pass, undefined ones too', () => {
    const options = { epochs: 2, matching: undefined, onProgress: () => 0, own: { source: 'a' } };
    expect(() => checkOptions('x/train', options, schema)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [{ epochs: 'ten' }, 'x/train: epochs is "ten" and must be a number.'],
    [{ epochs: 1.5 }, 'x/train: epochs is 1.5 and must be a whole number.'],
    [{ epochs: 0 }, 'x/train: epochs is 0 and must be >= 1.'],
    [{ epochs: Number.NaN }, 'x/train: epochs is NaN and must be a number.'],
    [{ matching: 'any' }, 'x/train: matching is "any" and must be one of best, mutual.'],
    [{ onProgress: [1] }, 'x/train: onProgress is a list of 1 and must be a function.'],
    [{ own: 'a.csv' }, 'x/train: own is "a.csv" and must be an object.'],
    [{ onProgress: new Map() }, 'x/train: onProgress is of type Map and must be a function.'],
    [{ own: {} }, 'x/train: own.source is missing and must be a text.'],
    [undefined, 'x/train: the options are undefined and must be an object.'],
    [
      { epochs: null, own: 7 },
      'x/train: epochs is null and must be a number; own is 7 and must be an object.',
    ],
  ])('%j: option, value and what is allowed', (options, message) => {
    expect(problemOf(options).message).toBe(message);
  });

  it('refuses unknown options with the nearest name, at any depth', () => {
    const top = problemOf({ epoch: 3 });
    expect([top.message, top.help]).toEqual([
      'x/train: unknown option "epoch".',
      'did you mean epochs?',
    ]);
    expect(problemOf({ own: { source: 'a', link: 'b' } })).toMatchObject({
      message: 'x/train, own: unknown option "link".',
      help: 'did you mean links?',
    });
    expect(problemOf({ zzz: 1 }).help).toBe('options are: epochs, matching, onProgress, own.');
  });
});
