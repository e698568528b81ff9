import { expect, test } from 'vitest';
import { exactAgreement } from '../bench/simulation/independent.js';
import { configWith } from './__fixtures__/scripted-network.js';
import { builtInFamilies as families } from './families/built-in.js';
import type { Judgement } from './judgement.js';
import { judgeSample } from './judge-sample.js';
import {
  createSimulatedClient,
  type Simulation,
  simulatedSamples,
  simulationDefaults,
} from './simulate.js';

const regime = { ...simulationDefaults, noise: 2, roleBiases: [1.5, -1, 0.5], weight: 0.4 };

/** The verdicts of a network on SIMULATED pairs. */
async function verdictsOf(simulation: Simulation, set: readonly string[], pairs: number) {
  const config = configWith(['roles.min=1', ...set]);
  const client = createSimulatedClient(simulation);
  const samples = simulatedSamples(pairs, simulation);
  const judged: Judgement[] = [];
  for (const sample of samples)
    judged.push(await judgeSample(sample, { config, families, client }));
  return samples.map(({ gold }, at) => ({ gold, judgement: judged[at]! }));
}

test.each([
  [1, 1],
  [3, 1],
  [1, 2],
  [3, 2],
  [2, 3],
])(
  'width %i, depth %i: accuracy within three standard errors of exact numbers',
  async (width, depth) => {
    // Of five such cells one lies beyond three in 1 of 74 simulations; the long check counts more.
    const [pairs, tau] = [150, 0.3];
    const set = [`network.layers=${depth}`, `aggregation.tau=${tau}`];
    const found = await verdictsOf({ ...regime, seed: 11, width }, set, pairs);
    const right = found.filter(({ gold, judgement }) => judgement.verdict === gold).length / pairs;
    const { accuracy } = exactAgreement(
      { ...regime, name: 'test' },
      { width, depth, tau },
      100_000,
    );
    const error = Math.sqrt((accuracy * (1 - accuracy)) / pairs);
    expect(Math.abs(right - accuracy) / error).toBeLessThan(3);
  },
);

test('without noise and bias both orders undo the preference for what is first', async () => {
  const simulation = { ...regime, noise: 0, roleBiases: [0], positionBias: 3, seed: 2, width: 2 };
  const both = await verdictsOf(simulation, [], 40);
  expect(both.every(({ gold, judgement }) => judgement.verdict === gold)).toBe(true);
  expect(both.every(({ judgement }) => judgement.conflictRate === 1)).toBe(true);
  const one = await verdictsOf(simulation, ['network.bothOrders=false'], 40);
  expect(one.every(({ judgement }) => judgement.verdict === '1')).toBe(true);
});

test('the same seed gives the same judgements', async () => {
  const once = await verdictsOf({ ...regime, width: 2 }, [], 5);
  expect(await verdictsOf({ ...regime, width: 2 }, [], 5)).toEqual(once);
});
