import { expect, test } from 'vitest';
import { repeatedName } from './repeated-name.js';

test.each([
  ['{"a": 1, "a": 2}', 'a'],
  ['{"a": {"b": 1, "c": [{}, {"d": 1}], "b" : 2}}', 'b'],
  ['{"a": 1, "\\u0061": 2}', 'a'],
  ['{"": 1, "":2}', ''],
  ['[{"a": 1}, {"a": 1, "b\\"": 1, "b\\"": 2}]', 'b"'],
])('%s has a name twice', (json, name) => {
  expect(JSON.parse(json)).toBeDefined();
  expect(repeatedName(json)).toBe(name);
});

test.each([
  '{}',
  '[]',
  '"a"',
  '{"a": {"a": {"a": "a"}}, "b": ["a", "a"]}',
  '[{"a": 1}, {"a": 1}]',
  '{"a": "\\"a\\": 1, {", "b": "}", "c": "\\\\"}',
])('%s has none', (json) => {
  expect(JSON.parse(json)).toBeDefined();
  expect(repeatedName(json)).toBeNull();
});
