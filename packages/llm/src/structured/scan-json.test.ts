import { describe, expect, it } from 'vitest';
import { scanJson } from './scan-json.js';

const all = { trailingCommas: true, singleQuotes: true, controlCharacters: true, unclosed: true };

describe('scanJson', () => {
  it.each([
    '{}',
    '[]',
    '{"a":[1,-2.5e3,true,false,null,"x\\n\\u00e9"],"b":{"c":{}}}',
    '[ [ ] , { } ]',
    '[0]',
  ])('takes %s as it is', (text) => {
    const scan = scanJson(`${text} and more`, 0);
    expect(scan).toMatchObject({ isValue: true, end: text.length, json: text });
  });

  it.each([
    '{a:1}',
    '[1,]',
    "['a']",
    '[01]',
    '[1 2]',
    '{"a" 1}',
    '{"a":1',
    '["a\nb"]',
    '[,]',
    '[}',
  ])('refuses %j', (text) => {
    expect(scanJson(text, 0).isValue).toBe(false);
  });

  it.each([
    ['[1, 2, ]', { trailingCommas: true }, [1, 2]],
    ['{"a": 1 , }', { trailingCommas: true }, { a: 1 }],
    ["{'a': 'it''s'}", { singleQuotes: true }, undefined],
    ["{'a': 'it's'}", { singleQuotes: true }, { a: "it's" }],
    [`{'a': 'say "yes"', 'b': True, 'c': None}`, { singleQuotes: true }, null],
    [String.raw`['it\'s']`, { singleQuotes: true }, ["it's"]],
    ['["a\nb\tc"]', { controlCharacters: true }, ['a\nb\tc']],
    ['{"a": [1, 2', { unclosed: true }, { a: [1] }],
    ['{"a": [1, 2 ', { unclosed: true }, { a: [1, 2] }],
    ['{"a": {"b": "c"}, "d": "unfini', { unclosed: true }, { a: { b: 'c' } }],
    ['{"a": "x", "b": tru', { unclosed: true }, { a: 'x' }],
    ['{"a": "x", "b": "\\u12', { unclosed: true }, { a: 'x' }],
    ['{"a": "x", "b', { unclosed: true }, { a: 'x' }],
    ['{"a": "x", "b": ', { unclosed: true }, { a: 'x' }],
    ['[', { unclosed: true }, []],
  ] as const)('reads %j with %j', (text, allowances, expected) => {
    const scan = scanJson(text, 0, allowances);
    if (expected === undefined) return;
    expect(scan.isValue).toBe(true);
    const value = JSON.parse(scan.json) as unknown;
    if (expected === null) expect(value).toEqual({ a: 'say "yes"', b: true, c: null });
    else expect(value).toEqual(expected);
  });

  it('tells the containers that were open', () => {
    expect(scanJson('x[{"a":[?', 1).open).toEqual([1, 2, 7]);
  });

  it('refuses what is deeper than 512', () => {
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(scanJson(deep(512), 0).isValue).toBe(true);
    expect(scanJson(deep(513), 0, all).isValue).toBe(false);
  });
});
