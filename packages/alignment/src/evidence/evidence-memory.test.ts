import { fileURLToPath } from 'node:url';
import { runProcess } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask } from '../__fixtures__/small-task.js';
import { expectedEvidenceBytes } from './evidence-memory.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('expectedEvidenceBytes', () => {
  it('meets what an evaluation holds within 0.3', async () => {
    // In a process of its own: what other tests leave is given back at times of its own.
    const script = fileURLToPath(new URL('./__fixtures__/held-by-evaluation.ts', import.meta.url));
    const flags = ['--conditions=@lab/source', '--import', 'tsx', '--expose-gc'];
    const { code, stdout, stderr } = await runProcess(process.execPath, [...flags, script]);
    expect(code, stderr).toBe(0);
    const { held, foreseen } = JSON.parse(stdout) as { held: number; foreseen: number };
    const garbage = 1.15; // what is foreseen includes some, what was collected is not held
    expect(Math.abs(foreseen / (garbage * held) - 1)).toBeLessThan(0.3);
  });

  it('is nothing where no evidence is weighed, and grows with what is compared', async () => {
    const task = await smallTask(smallData(100));
    const bytes = (settings: object) =>
      expectedEvidenceBytes(
        task,
        smallConfig({ 'evaluation.scores': 'evidence', ...settings }),
        [6, 12, 18],
      );
    expect(bytes({ 'evaluation.scores': 'fused' })).toBe(0);
    expect(bytes({ 'evaluation.enabled': false })).toBe(0);
    expect(bytes({ 'evaluation.search': 'approximate' })).toBe(0);
    expect(bytes({})).toBeGreaterThan(0);
    expect(bytes({ 'evaluation.candidates': 'all' })).toBeCloseTo(2 * bytes({}), 6);
  });

  it('counts the test pairs where all entities are too many', async () => {
    const { data, split } = await smallTask(smallData(100));
    const many = { ...data, left: new Int32Array(70_000), right: new Int32Array(70_000) };
    const config = smallConfig({ 'evaluation.scores': 'evidence' });
    const bytes = expectedEvidenceBytes({ data: many, split }, config, [6]);
    expect(bytes).toBe(expectedEvidenceBytes({ data, split }, config, [6]));
  });
});
