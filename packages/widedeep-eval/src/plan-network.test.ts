import { createMemoryStore, createScriptedClient } from '@lab/llm';
import { expect, test } from 'vitest';
import { configWith, sampleWith, scored, scriptedModel } from './__fixtures__/scripted-network.js';
import { builtInFamilies as families } from './families/built-in.js';
import { judgeSample } from './judge-sample.js';
import { planNetwork } from './plan-network.js';

const samples = ['a', 'b', 'c'].map((id) => sampleWith({ id, question: `Question ${id}?` }));
const client = createScriptedClient({ answer: () => '' });

test.each([
  [[], {}, 1 + 2 * 5 * 2],
  [[], { preset: 'cheap' }, 1 + 2 * 2 * 2],
  [[], { preset: 'single' }, 1],
  [[], { preset: 'mec+bpc' }, 6],
  [[], { preset: 'wide-narrow' }, 2 * 5 * 2],
  [[], { preset: 'deep-only' }, 1 + 2 * 2 * 4],
  [[], { preset: 'length' }, 0],
  [['roles.kind=library', 'roles.library=["A","B","C"]'], {}, 2 * 3 * 2],
])('calls with %j %j: %i a pair', async (set, input, calls) => {
  const plan = await planNetwork({ samples, config: configWith(set, input), families, client });
  expect([plan.calls, plan.callsPerSample.expected]).toEqual([3 * calls, calls]);
});

test('the plan is what a run asks when the model names as many angles', async () => {
  const roles = ['Accuracy', 'Style', 'Depth'];
  const { client: model, asked } = scriptedModel(roles, () => scored(7, 6));
  const config = configWith();
  for (const sample of samples) await judgeSample(sample, { config, families, client: model });
  const plan = await planNetwork({ samples, config, families, client, expectedRoles: 3 });
  expect(plan.calls).toBe(asked.length);
  expect(plan.callsPerSample).toEqual({ expected: 13, low: 9, high: 33 });
  expect(plan.completionTokens).toEqual({ low: asked.length, high: 512 * asked.length });
});

test('what is finished, in the cache, of another shard or equal is not asked', async () => {
  const config = configWith();
  const finished = new Set(['a']);
  const some = await planNetwork({ samples, config, families, client, finished });
  expect([some.calls, some.samples, some.finished]).toEqual([42, 2, 1]);
  const cache = { ...createMemoryStore(), has: (hash: string) => hash !== '' };
  const cached = await planNetwork({ samples, config, families, client, cache });
  expect([cached.cacheHits, cached.calls]).toEqual([3, 60]);
  const parts = await Promise.all(
    [0, 1].map((index) =>
      planNetwork({ samples, config, families, client, shard: { index, count: 2 } }),
    ),
  );
  expect(parts[0]!.calls + parts[1]!.calls).toBe(63);
  const same = [sampleWith({ answer2: sampleWith().answer1 })];
  expect((await planNetwork({ samples: same, config, families, client })).calls).toBe(0);
});

test('cost needs prices', async () => {
  const config = configWith([], { preset: 'single' });
  const free = await planNetwork({ samples, config, families, client });
  expect(free.costUsd).toBeNull();
  const costOf = ({ completion }: { completion: number }) => completion;
  const priced = await planNetwork({ samples, config, families, client, costOf });
  expect(priced.costUsd).toEqual({ low: 3, high: 3 * 512 });
});

test('with a library of angles the first calls are known as they are sent', async () => {
  const set = ['roles.kind=library', 'roles.library=["A","B"]', 'network.layers=1'];
  const config = configWith(set);
  const { client: model, asked } = scriptedModel([], () => scored(7, 6));
  for (const sample of samples) await judgeSample(sample, { config, families, client: model });
  const hashes = new Set(asked.map(({ request }) => model.hashOf(request)));
  const cache = { has: (hash: string) => hashes.has(hash) };
  const plan = await planNetwork({ samples, config, families, client: model, cache });
  expect([plan.cacheHits, plan.calls]).toEqual([12, 0]);
});

test('each model of a network has its own price', async () => {
  const set = ['jury.models=["other"]', 'roles.kind=library', 'roles.library=["A","B","C"]'];
  const other = createScriptedClient({ model: 'other', answer: () => '' });
  const costOf = (_: unknown, model: string) => (model === 'other' ? 100 : 1);
  const plan = await planNetwork({
    ...{ samples, config: configWith(set), families, client, clients: { other }, costOf },
  });
  // A sum of tokens is not priced here: each model costs the same, whatever it is asked.
  expect([plan.calls, plan.costUsd]).toEqual([3 * 12, { low: 101, high: 101 }]);
  const free = { ...{ samples, families, client, clients: { other } }, config: configWith(set) };
  const halfPriced = (_: unknown, model: string) => (model === 'other' ? null : 1);
  expect((await planNetwork({ ...free, costOf: halfPriced })).costUsd).toBeNull();
});
