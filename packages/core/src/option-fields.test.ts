import { describe, expect, it } from 'vitest';
import { hasFields, objectWith, optionFields } from './option-fields.js';

describe('hasFields', () => {
  it('is true of objects alone that have all of them', () => {
    expect(hasFields({ a: undefined, b: 1 }, 'a', 'b')).toBe(true);
    expect(hasFields({ a: 1 }, 'a', 'b')).toBe(false);
    expect(hasFields({})).toBe(true);
    expect([null, undefined, 'ab', 1, [], () => 0].map((value) => hasFields(value))).toEqual(
      Array(6).fill(false),
    );
  });
});

describe('optionFields', () => {
  it.each([
    ['count', 3, -1],
    ['count', 0, 0.5],
    ['share', 1, 1.01],
    ['path', 'a', ''],
    ['callback', undefined, 'a'],
    ['callback', () => 0, {}],
    ['signal', new AbortController().signal, true],
    ['logger', { info: () => 0, warn: () => 0 }, { info: () => 0 }],
  ] as const)('%s takes %s and refuses %s', (name, right, wrong) => {
    expect(optionFields[name].safeParse(right).success).toBe(true);
    expect(optionFields[name].safeParse(wrong).success).toBe(false);
  });

  it('hands objects on as they are', () => {
    const given = { aborted: false, more: 1 };
    expect(objectWith(['aborted'], 'must be a signal').parse(given)).toBe(given);
  });
});
