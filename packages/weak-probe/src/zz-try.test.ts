import { selectBackend } from '@lab/tensor';
import { loadModel } from '@lab/transformer';
import { it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import { causalCheck } from './causal.js';
import { bestFirstTokens, measuredOpenings } from './first-tokens.js';
import { graftCurve, graftSweep } from './graft-sweep.js';
import { meanRow } from './graft-vectors.js';
import { lastTokenStates } from './state-rows.js';
import { meanDistance } from './steering.js';
it('x', async () => {
  await selectBackend('wasm');
  const model = await loadModel(organism);
  const { prompts } = await organismPrompts(16, ['data.format=chat']);
  const side = (name: string) => prompts.filter(({ label }) => label === name);
  const [a, r] = [side('answered'), side('refused')];
  const [sa, sr] = [await lastTokenStates(model, a), await lastTokenStates(model, r)];
  const openings = measuredOpenings(await bestFirstTokens(model, r), await bestFirstTokens(model, a));
  for (const [recipients, recipientStates, donorStates] of [[r, sr, sa], [a, sa, sr]] as const) {
    const records = [];
    const sources = ['mean', 'nearest', 'single', 'other-recipient', 'shuffled', 'noise'] as const;
    for await (const one of graftSweep(model, { recipients, recipientStates, donorStates, openings, sources })) records.push(one);
    console.log(graftCurve(records).map(({ state, source, refusalShare, gap, kl }) => [state, source, refusalShare, gap.toFixed(2), kl.toFixed(3)].join(' ')).join('\n'));
  }
  for (const state of [3, 4, 5]) {
    const [ra, rr] = [await sa.readState(state), await sr.readState(state)];
    const [ma, mr] = [meanRow(ra, 128), meanRow(rr, 128)];
    const vector = mr.map((value, at) => value - ma[at]!);
    const rows = Float32Array.from([...ra, ...rr]);
    const found = meanDistance(rows, [...a.map(() => false), ...r.map(() => true)], vector);
    for (const positions of ['last', 'all'] as const) for (const coordinate of [0, (found.positive + found.negative) / 2]) {
      const check = async (p: typeof a) => {
        const c = await causalCheck(model, { prompts: p, openings, direction: { vector }, states: [state], positions, coordinate, draws: 19 });
        return [c.unchanged.gap, c.without.gap, c.unchanged.refusalShare, c.without.refusalShare, c.random.gapLow, c.random.gapHigh, c.pValue].map((x) => x.toFixed(3)).join(' ');
      };
      console.log(state, positions, found, coordinate.toFixed(2), '\n refused ', await check(r), '\n answered', await check(a));
    }
  }
}, 300_000);
