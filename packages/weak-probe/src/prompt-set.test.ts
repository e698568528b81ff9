import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { loadTokenizer } from '@lab/transformer';
import { expect, test } from 'vitest';
import { organism } from './__fixtures__/organism.js';
import { formatPrompts, readPromptSet, withPeriod } from './prompt-set.js';

const options = { limit: 0, deduplicate: true };

function file(name: string, lines: readonly string[]): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const normal = file('normal.csv', ['goal', 'Wrap the jar.', 'Dry the bell.', 'wrap the jar']);
const harmful = file('harmful.txt', ['Cool the lamp.', 'Dry the bell.']);
const sources = [
  { label: 'normal', path: normal },
  { label: 'harmful', path: harmful },
];

test('classes stand one behind the other, without duplicates', async () => {
  const set = await readPromptSet(sources, options);
  expect(set.classes).toEqual(['normal', 'harmful']);
  expect(set.prompts.map(({ id }) => id)).toEqual([
    ...['normal/1', 'normal/2', 'harmful/1', 'harmful/2'],
  ]);
  expect(set.counts).toEqual([
    { label: 'normal', read: 3, duplicates: 1, kept: 2 },
    { label: 'harmful', read: 2, duplicates: 0, kept: 2 },
  ]);
  expect(set.conflicts).toEqual(['harmful/2']);
  expect(set.files.map(({ path }) => path)).toEqual([normal, harmful]);
});

test('as released code has it, duplicates stay', async () => {
  const set = await readPromptSet(sources, { limit: 0, deduplicate: false });
  expect(set.counts[0]).toEqual({ label: 'normal', read: 3, duplicates: 1, kept: 3 });
});

test('a limit holds for each class, and classes can be chosen and ordered', async () => {
  const set = await readPromptSet(sources, {
    ...options,
    limit: 1,
    classes: ['harmful', 'normal'],
  });
  expect(set.prompts.map(({ id }) => id)).toEqual(['harmful/1', 'normal/1']);
});

test.each([
  [[sources[0]!], {}, '1 classes'],
  [[{ path: normal }], {}, 'have no class'],
  [sources, { classes: ['normal', 'other'] }, 'no class other'],
  [
    [
      { label: 'x', path: normal },
      { label: 'x', path: harmful },
    ],
    {},
    '1 classes',
  ],
  [[{ label: 'x', path: '/none.csv' }, sources[0]!], {}, '/none.csv'],
])('bad input %#: what is wrong is said', async (given, more, message) => {
  await expect(readPromptSet(given, { ...options, ...more })).rejects.toThrow(message);
});

test('a full stop is added where neither it nor a question mark ends the prompt', () => {
  expect(['Go', 'Go.', 'Go?', 'Go!'].map(withPeriod)).toEqual(['Go.', 'Go.', 'Go?', 'Go!.']);
});

test('prompts are written in the format, and the end of the prompt itself is known', () => {
  const tokenizer = loadTokenizer(organism);
  const prompts = [{ id: 'a', label: 'x', prompt: 'Hello, please wrap the jar' }];
  const rules = { system: '', normalisation: 'period', longPrompts: 'error' } as const;
  const [direct, chat] = ['direct', 'chat'].map(
    (format) =>
      formatPrompts(tokenizer, prompts, { ...rules, format, contextTokens: 512 }).prompts[0]!,
  );
  expect(direct!.text).toBe('Hello, please wrap the jar.');
  expect(direct!.promptEnd).toBe(direct!.ids.length - 1);
  expect(chat!.ids.length).toBeGreaterThan(direct!.ids.length);
  expect(tokenizer.decode([chat!.ids[chat!.promptEnd!]!]).trim()).toBe('.');
});

test('a prompt beyond the context is an error, or left out and named', () => {
  const tokenizer = loadTokenizer(organism);
  const prompts = [
    { id: 'long', label: 'x', prompt: 'jar '.repeat(20) },
    { id: 'short', label: 'x', prompt: 'jar' },
  ];
  const rules = { format: 'direct', system: '', normalisation: 'none', contextTokens: 10 } as const;
  expect(() => formatPrompts(tokenizer, prompts, { ...rules, longPrompts: 'error' })).toThrow(
    /long has \d+ tokens, the model was made for 10/,
  );
  const found = formatPrompts(tokenizer, prompts, { ...rules, longPrompts: 'skip' });
  expect(found.skipped).toEqual(['long']);
  expect(found.prompts.map(({ id }) => id)).toEqual(['short']);
});
