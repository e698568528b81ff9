import { createScriptedClient, LlmFailure } from '@lab/llm';
import { expect, test } from 'vitest';
import { configWith, sampleWith } from './__fixtures__/scripted-network.js';
import { builtInFamilies } from './families/built-in.js';
import { generateRoles, parseRoles } from './roles.js';

const family = builtInFamilies.get('qa')!;

test('names stand between the marks, also across lines, descriptions behind them', () => {
  const text = '1. $Accuracy& whether it is true.\n$Clear\nlanguage&: easy to read\n$ & nothing';
  expect(parseRoles(text, '&')).toEqual([
    { name: 'Accuracy', description: 'whether it is true.', source: 'llm' },
    { name: 'Clear language', description: 'easy to read', source: 'llm' },
  ]);
});

test('in code the closing mark is another one', () => {
  expect(parseRoles('$a & b@ both bits', '@')).toEqual([
    { name: 'a & b', description: 'both bits', source: 'llm' },
  ]);
});

async function rolesFor(answers: readonly string[], set: readonly string[] = [], mode?: string) {
  const temperatures: (number | undefined)[] = [];
  const client = createScriptedClient({
    answer: ({ temperature, sample = 0 }) => {
      temperatures.push(temperature);
      return answers[sample] ?? '';
    },
  });
  const config = configWith(set, mode === undefined ? {} : { mode });
  const { roles, isCapped } = await generateRoles(sampleWith(), { client, family, config });
  return { names: roles.map(({ name }) => name), isCapped, temperatures, roles };
}

test('names that differ in case alone are one angle; the released code keeps all', async () => {
  const answer = '$Style& a\n$style& b\n$Depth& c';
  expect((await rolesFor([answer])).names).toEqual(['Style', 'Depth']);
  expect((await rolesFor([answer], [], 'official')).names).toEqual(['Style', 'style', 'Depth']);
});

test('more than the most are cut, and that is said', async () => {
  const answer = Array.from({ length: 60 }, (_, at) => `$Angle ${at}& x`).join('\n');
  const { names, isCapped } = await rolesFor([answer]);
  expect([names.length, isCapped]).toEqual([8, true]);
  expect((await rolesFor([answer], [], 'official')).names).toHaveLength(60);
  expect((await rolesFor([answer], ['roles.kind=limited'])).names).toHaveLength(2);
});

test('it is asked again at other temperatures while nothing can be read', async () => {
  const { names, temperatures } = await rolesFor(['no', 'no', '$A& x\n$B& y']);
  expect([names, temperatures]).toEqual([
    ['A', 'B'],
    [0, 0.3, 0.7],
  ]);
});

test('without any the angles are accuracy and relevance, and one is filled up to two', async () => {
  const none = await rolesFor([]);
  expect(none.roles).toEqual([
    { name: 'Accuracy', source: 'fallback' },
    { name: 'Relevance', source: 'fallback' },
  ]);
  expect(none.temperatures).toHaveLength(3);
  expect((await rolesFor(['$accuracy& x'])).names).toEqual(['accuracy', 'Relevance']);
});

test('a refused sample has the angles of a failure; other failures are thrown', async () => {
  const failing = (kind: 'network' | 'refusal') =>
    createScriptedClient({
      answer: () => {
        throw new LlmFailure('no', { kind, isRetryable: false, attempts: 1 });
      },
    });
  const config = configWith();
  const refused = await generateRoles(sampleWith(), { client: failing('refusal'), family, config });
  expect(refused.roles.map(({ source }) => source)).toEqual(['fallback', 'fallback']);
  const broken = generateRoles(sampleWith(), { client: failing('network'), family, config });
  await expect(broken).rejects.toThrow('no');
});

test('angles as data have names and descriptions; no data are asked for again', async () => {
  const data = { roles: [{ name: '**Depth**', description: 'all of it?' }, { name: '-' }] };
  const broken = await rolesFor([JSON.stringify(data)], ['roles.format=json']);
  // A list of which an entry lacks its description fits no schema.
  expect(broken.names).toEqual(['Accuracy', 'Relevance']);
  const whole = { roles: [...data.roles.slice(0, 1), { name: '?', description: 'no name' }] };
  const { roles } = await rolesFor([JSON.stringify(whole)], ['roles.format=json']);
  expect(roles).toEqual([
    { name: 'Depth', description: 'all of it?', source: 'llm' },
    { name: 'Accuracy', source: 'fallback' },
  ]);
});
