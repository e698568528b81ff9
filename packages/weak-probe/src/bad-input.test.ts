import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { beforeAll, expect, test } from 'vitest';
import { organism, organismCollection } from './__fixtures__/organism.js';
import { run } from './__fixtures__/run-program.js';
import { collectStates } from './collect.js';

const files = temporaryFolder();
const write = (name: string, text: string) => {
  writeFileSync(join(files, name), text);
  return join(files, name);
};
const good = write('good.csv', 'goal\nWrap the jar.\nDry the bell.\n');
const blank = write('blank.csv', 'goal\nWrap the jar.\n""\n');
const columns = write('columns.csv', 'word,count\njar,1\n');
const model = ['--model', 'example:organism'];
const classes = (a: string, b: string) => ['--class', `normal=${a}`, '--class', `harmful=${b}`];
const whole = join(files, 'whole');

beforeAll(async () => {
  await collectStates(await organismCollection(whole, { limit: 3 }));
});

test.each([
  ['no model', ['collect', ...classes(good, good)], 2, /--model DIR is missing/],
  ['no classes', ['collect', '--model', organism], 2, /--class NAME=FILE is missing/],
  ['one class', ['collect', ...model, '--class', `normal=${good}`], 2, /1 classes \(normal\)/],
  ['a class without a file', ['collect', ...model, '--class', 'normal'], 2, /write NAME=FILE/],
  ['both ways', ['collect', ...model, '--class', `a=${good}`, '--prompts', good], 2, /both/],
  [
    'a file that is not there',
    ['collect', ...model, ...classes(good, '/none.csv')],
    3,
    /none\.csv/,
  ],
  ['no column of classes', ['collect', ...model, '--prompts', good], 3, /have no class/],
  [
    ...(['every bad file at once', ['check', ...model, ...classes(blank, columns)], 3] as const),
    /blank\.csv line 3[^]*columns that prompts/,
  ],
  ['an unknown setting', ['collect', ...model, '--set', 'lens.topk=3'], 2, /lens\.topK/],
  ['an unknown format', ['collect', ...model, '--format', 'lama-2'], 2, /near: llama-2/],
  ['an unknown class', ['collect', ...model, '--classes', 'answered,other'], 2, /no class other/],
  ['no checkpoint', ['collect', '--model', '/nowhere', ...classes(good, good)], 4, /\/nowhere/],
  [
    ...([
      'a format whose system text is not ours',
      ['check', ...model, '--format', 'mistral'],
    ] as const),
    ...([2, /--system-file/] as const),
  ],
  ['no run', ['probe', files], 3, /run\.json/],
  ['other settings on resume', ['collect', '--resume', whole, '--limit', '3'], 2, /not limit/],
  ['K above the vocabulary', ['lens', whole, '--top', '9999'], 2, /1 to 726, the vocabulary/],
  ['K below 1', ['lens', whole, '--top', '0'], 2, /topK|top is 0/],
  ['a state out of range', ['graft', whole, '--states', '9'], 2, /state 9/],
  ['another model', ['lens', whole, '--model', 'example:planted-early'], 3, /another model/],
])('%s is an error that says what to do', async (_, args, code, text) => {
  const more = args.includes('mistral') ? ['--mode', 'official'] : [];
  const found = await run([...args, ...more]);
  expect(found.stdout + found.stderr).toMatch(text);
  expect(found.code).toBe(code);
  expect(found.stderr).toContain('help:');
});
