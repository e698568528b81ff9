import { expect, test } from 'vitest';
import { configWith, sampleWith, scored, scriptedModel } from './__fixtures__/scripted-network.js';
import { earlyStop } from './early-stop.js';
import { builtInFamilies as families } from './families/built-in.js';
import { judgedSample } from './judged-sample.js';
import { judgeSample } from './judge-sample.js';
import type { Verdict } from './verdict.js';

const roles = ['Accuracy', 'Style'];
/** Judges of the first layer agree on the pairs of `agreed`; the discussion turns some around. */
const agreed = ['a', 'b', 'c'];
const turned = ['b', 'd'];
const { client } = scriptedModel(roles, ({ text, roles: [role], isForward, isDeeper }) => {
  const id = /Question (\w)\?/.exec(text)?.[1] ?? '';
  const isFirst = isDeeper ? !turned.includes(id) : role === 'Accuracy' || agreed.includes(id);
  return isFirst === isForward ? scored(8, 5) : scored(5, 8);
});

async function judged(gold: Record<string, Verdict | null>, set: readonly string[] = []) {
  const config = configWith(set);
  const samples = Object.entries(gold).map(([id, label]) =>
    sampleWith({ id, question: `Question ${id}?`, gold: label }),
  );
  const judgements = [];
  for (const sample of samples) {
    const output = await judgeSample(sample, { config, families, client });
    const hashes = Array.from({ length: 1 + 2 * 2 * output.layers.length }, () => 'h');
    judgements.push(
      judgedSample({
        ...{ id: sample.id, requestHash: 'h', requestHashes: hashes, status: 'ok', output },
        ...{ usage: { prompt: 1, completion: 1, cached: 0, reasoning: 0 }, costUsd: null },
      }),
    );
  }
  return judgements;
}

test('a run with all discussions says what stopping saves and what it turns around', async () => {
  const samples = await judged({ a: '1', b: 'tie', c: null, d: '2' });
  expect(samples.map(({ isUnanimous }) => isUnanimous)).toEqual([true, true, true, false]);
  const found = earlyStop(samples)!;
  // Three of four pairs save their four later answers of nine calls each.
  expect(found).toMatchObject({ pairs: 4, unanimous: 3 / 4, callsSaved: 12 / 36 });
  const stopped = await judged({ a: '1', b: 'tie', c: null, d: '2' }, ['network.earlyStop=true']);
  const same = samples.filter(({ verdict }, at) => verdict === stopped[at]!.verdict).length;
  expect(found.sameVerdict).toBe(same / 4);
  const right = (all: typeof samples) => all.filter(({ gold, verdict }) => gold === verdict).length;
  expect(found.accuracy).toEqual({ n: 3, whole: right(samples) / 3, stopped: right(stopped) / 3 });
  expect(right(samples)).not.toBe(right(stopped));
});

test('without discussions there is nothing to stop, without labels no accuracy', async () => {
  expect(earlyStop(await judged({ a: '1' }, ['network.layers=1']))).toBeNull();
  expect(earlyStop([])).toBeNull();
  expect(earlyStop(await judged({ a: null }))!.accuracy).toBeNull();
});

test('a difference up to tau is a tie', async () => {
  const [sample] = await judged({ a: '1' });
  expect(earlyStop([sample!], 2)!.accuracy!.stopped).toBe(1);
  expect(earlyStop([sample!], 3)!.accuracy!.stopped).toBe(0);
});
