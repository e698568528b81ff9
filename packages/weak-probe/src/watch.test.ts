import '@lab/core/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { loadModel, loadTokenizer, type Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import { run } from './__fixtures__/run-program.js';
import type { EncodedPrompt } from './hidden-states.js';
import { createMonitor, type Monitor, type MonitorBundle } from './monitor.js';
import { lastTokenStates } from './state-rows.js';
import { watchGeneration, type WatchOptions, type WatchedToken } from './watch.js';

const tokenizer = loadTokenizer(organism);
let model: Model;
let prompts: readonly EncodedPrompt[];

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(organism);
  ({ prompts } = await organismPrompts(2, ['data.format=chat']));
});
afterAll(() => model.dispose());

/** A monitor of the sum of the first ten features. */
const monitorOf = (changes: Partial<MonitorBundle> = {}): Monitor =>
  createMonitor({
    ...{ schemaVersion: 1, kind: 'weak-probe-monitor', tokenizerFingerprint: 't' },
    ...{ format: 'chat', system: '', normalisation: 'period', site: 'residual' },
    ...{ positions: 'last', state: 4, isNormed: false, threshold: 1e9 },
    model: { path: organism, fingerprint: 'abc' },
    probe: {
      ...{ kind: 'svm', classes: ['normal', 'harmful'], width: 128 },
      layer: {
        ...{ form: 'linear', intercepts: [0], isVote: true },
        weights: Array.from({ length: 128 }, (_, d) => (d < 10 ? 1 : 0)),
      },
    },
    calibration: { slope: 1, intercept: 0 },
    quality: {
      ...{ rowCount: 1, accuracy: 1, auroc: 1, truePositiveRate: 1, falsePositiveRate: 0, ece: 0 },
    },
    ...changes,
  } satisfies MonitorBundle);

const watched = async (options: Partial<WatchOptions> = {}) => {
  const tokens: WatchedToken[] = [];
  const given = { monitor: monitorOf(), prompt: prompts[0]!.ids, maxNewTokens: 6, ...options };
  for await (const token of watchGeneration(model, tokenizer, given)) tokens.push(token);
  return tokens;
};

describe('a watched generation', () => {
  it('scores before each token the state that a pass over all tokens so far has', async () => {
    const tokens = await watched();
    const ids = [...prompts[0]!.ids];
    for (const { id, reading } of tokens) {
      const states = await lastTokenStates(model, [{ id: 'so far', ids }]);
      const expected = monitorOf().read(await states.readState(4));
      expect(reading.score).toBeClose(expected.score, { atol: 1e-3 });
      ids.push(id);
    }
    expect(tokens.map(({ reading }) => reading.count)).toEqual(tokens.map((_, at) => at + 1));
    expect(tokens.map(({ text }) => text).join('').length).toBeGreaterThan(3);
  });
  it('reads heads, and the last state behind the final norm', async () => {
    const normed = await watched({ monitor: monitorOf({ state: 5, isNormed: true }) });
    const plain = await watched({ monitor: monitorOf({ state: 5 }) });
    expect(normed[0]!.reading.score).not.toBe(plain[0]!.reading.score);
    const heads = await watched({ monitor: monitorOf({ site: 'heads', state: 2 }) });
    const states = await lastTokenStates(model, [prompts[0]!], { site: 'heads' });
    const expected = monitorOf().read(await states.readState(2));
    expect(heads[0]!.reading.score).toBeClose(expected.score, { atol: 1e-3 });
  });
  it('ends at the alarm where that is asked for', async () => {
    const monitor = monitorOf({ threshold: -1e9 });
    expect(await watched({ monitor, patience: 2, stopsAtAlarm: true })).toHaveLength(2);
    expect((await watched({ monitor, patience: 2 })).length).toBeGreaterThan(2);
  });
  it('keeps nothing on the backend, however it ends', async () => {
    await expectNoLeak(async () => {
      await watched({ monitor: monitorOf({ threshold: -1e9 }), stopsAtAlarm: true });
      await watched();
    });
  });
  it('refuses pooled tokens, states that are not there, and another model', async () => {
    const pooled = monitorOf({ positions: 'mean' });
    await expect(watched({ monitor: pooled })).rejects.toThrow(/positions mean/);
    await expect(watched({ monitor: monitorOf({ state: 9 }) })).rejects.toThrow(/no state 9/);
    await expect(watched({ fingerprint: 'other' })).rejects.toThrow(/made for abc/);
    await expect(watched({ weight: 2 })).rejects.toThrow(/weight 2/);
    await expect(watched({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
  });
});

describe('weak-probe watch', () => {
  it('prints a line a token, from a monitor of a collection', async () => {
    const dir = join(temporaryFolder(), 'run');
    const backend = ['--backend', 'wasm', '--threads', '1'];
    const model = ['--model', 'example:organism', '--classes', 'answered,refused'];
    const collect = ['collect', ...model, '--limit', '30', '--format', 'chat', '--out', dir];
    for (const args of [
      [...collect, ...backend],
      ['monitor', dir, '--state', '5'],
    ]) {
      const { code, stderr } = await run(args);
      expect(code, stderr).toBe(0);
    }
    const file = join(dir, 'monitor.json');
    const prompt = 'Hello, please wrap the jar';
    const args = ['watch', file, '--prompt', prompt, '--max-tokens', '5', ...backend];
    const { code, stdout, stderr } = await run(args);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^token +score +mean +P +alarm\n/);
    expect(stdout).toMatch(/no alarm \(refused\) in \d tokens?|alarm \(refused\) at token/);
    const json = await run([...args, '--json']);
    const said = JSON.parse(json.stdout) as { tokens: { score: number }[] };
    expect(said.tokens.length).toBeGreaterThan(0);
    expect(Number.isFinite(said.tokens[0]!.score)).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain('"normalisation":"period"');
    const none = await run(['watch', file]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('--prompt TEXT')]);
    const missing = await run(['watch', join(dir, 'none.json'), '--prompt', 'a']);
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('no such file')]);
  });
});
