import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '@lab/core/testing';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { organismCollection } from './__fixtures__/organism.js';
import { run } from './__fixtures__/run-program.js';
import { type Collection } from './collection.js';
import { collectStates } from './collect.js';
import { comparePositions, type PositionResult } from './positions.js';
import { readResult } from './run-files.js';
import { pooledTokens, tokenPrompts } from './token-prompts.js';

const folder = temporaryFolder();
const dir = join(folder, 'tokens');
let tokens: Collection;

const collected = async (positions: string) => {
  const given = { limit: 12, settings: ['data.format=chat', `states.positions=${positions}`] };
  return collectStates(await organismCollection(join(folder, positions), given));
};

beforeAll(async () => {
  await selectBackend('wasm');
  tokens = await collected('tokens');
});

describe('tokens of prompts', () => {
  it.each(['last', 'prompt-end', 'mean', 'max'] as const)(
    'become the rows that are collected as %s',
    async (positions) => {
      const { store } = await collected(positions);
      const prompts = tokenPrompts(tokens.store);
      expect(prompts.labels).toEqual(store.labels);
      expect(prompts.ids).toEqual(store.rows.map(({ id }) => id));
      for (const state of [0, 3, 5]) {
        const pooled = pooledTokens(await tokens.store.readState(state), prompts, positions);
        expect(pooled).toBeClose(await store.readState(state), { atol: 1e-4, rtol: 1e-4 });
      }
    },
  );
  it('are counted from the end', async () => {
    const prompts = tokenPrompts(tokens.store);
    const values = await tokens.store.readState(2);
    expect(pooledTokens(values, prompts, -1)).toEqual(pooledTokens(values, prompts, 'last'));
    const { width } = tokens.store;
    const end = prompts.starts[1]!;
    const second = values.subarray((end - 2) * width, (end - 1) * width);
    expect(pooledTokens(values, prompts, -2).subarray(0, width)).toEqual(second);
    expect(() => pooledTokens(values, prompts, -99)).toThrow(/no token -99 in every prompt/);
    expect(() => pooledTokens(values, prompts, 0)).toThrow(/no token 0/);
    const without = { ...prompts, promptEnds: null };
    expect(() => pooledTokens(values, without, 'prompt-end')).toThrow(/were not kept/);
  });
});

describe('positions', () => {
  it('are compared on the same prompts, with what a probe chooses', async () => {
    const config = { ...settings('mlp.maxEpochs=40'), data: tokens.config.data };
    const { store } = tokens;
    const result = await comparePositions({
      ...{ store, config, probe: 'logistic', states: [0, 4], offsetCount: 3 },
    });
    expect(result).toMatchObject({ probe: 'logistic', promptCount: 24 });
    const [first, later] = result.states;
    expect(first!.positions.map(({ position }) => position)).toEqual([
      ...['last', 'prompt-end', 'mean', 'max', 'attention'],
    ]);
    // The format ends alike: the last token's embedding says nothing.
    expect(first!.positions[0]!.accuracy).toBe(0.5);
    expect(later!.positions[0]!.accuracy).toBeGreaterThan(0.5);
    expect(later!.offsets.map(({ offset }) => offset)).toEqual([-1, -2, -3]);
    const { accuracy, interval, auroc } = later!.positions[0]!;
    expect(later!.offsets[0]).toMatchObject({ accuracy, interval, auroc });
    for (const { position, lastShare } of later!.positions) {
      if (position !== 'attention') expect(lastShare).toBeNull();
      else expect(lastShare! > 0 && lastShare! < 1).toBe(true);
    }
  });
  it('need all tokens, and states that are there', async () => {
    const config = settings();
    await expect(comparePositions({ store: memoryStore(), config })).rejects.toThrow(
      /of positions last/,
    );
    await expect(comparePositions({ store: tokens.store, config, states: [9] })).rejects.toThrow(
      /no state 9/,
    );
  });
});

describe('weak-probe positions', () => {
  const args = ['positions', dir, '--states', '3,4', '--offsets', '2', '--set', 'mlp.maxEpochs=5'];
  it('prints a row a state, and goes on where it was ended', async () => {
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/state +last token +end of the prompt itself +mean of all tokens/);
    const whole = readFileSync(join(dir, 'positions.json'), 'utf8');
    const records = join(dir, 'position-states.jsonl');
    const [key, first, second] = readFileSync(records, 'utf8').split('\n');
    writeFileSync(records, `${key}\n${first}\n${second!.slice(0, 40)}`);
    expect((await run(args)).code).toBe(0);
    expect(readFileSync(join(dir, 'positions.json'), 'utf8')).toBe(whole);
    expect(readResult<PositionResult>(dir, 'positions')!.states).toHaveLength(2);
  });
  it('stands on the page', async () => {
    const { code, stderr } = await run(['report', dir]);
    expect(code, stderr).toBe(0);
    const page = readFileSync(join(dir, 'report.html'), 'utf8');
    expect(page).toContain('Which tokens tell');
    expect(page).toMatch(/At state \d a probe that chooses its tokens tells \d/);
    expect(page).toContain('Accuracy of single tokens');
  });
  it('says what to collect', async () => {
    const { code, stderr } = await run(['positions', join(folder, 'last')]);
    expect(code).toBe(2);
    expect(stderr).toContain('states.positions=tokens');
  });
});
