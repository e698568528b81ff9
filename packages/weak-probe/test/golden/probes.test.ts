import { readFileSync } from 'node:fs';
import { createMersenneTwister, resolveConfig } from '@lab/core';
import { expect, test } from 'vitest';
import { memoryStore } from '../../src/__fixtures__/memory-store.js';
import { weakProbeConfig } from '../../src/config.js';
import { explainStates, type StateReport } from '../../src/explain.js';

interface Average {
  readonly precision: number;
  readonly recall: number;
  readonly 'f1-score': number;
}

interface Scores {
  readonly accuracy: number;
  readonly macro: Average;
  readonly weighted: Average;
  readonly confusion: number[][];
}

const golden = JSON.parse(readFileSync(new URL('probes.json', import.meta.url), 'utf8')) as {
  width: number;
  distances: number[];
  tasks: { counts: number[]; states: { svm: Scores; mlp: Scores }[] }[];
};

function drawState(state: number, labels: Int32Array): Float32Array {
  const random = createMersenneTwister(10 + state);
  const values = Float64Array.from(
    { length: labels.length * golden.width },
    () => 2 * random.uniform() - 1,
  );
  labels.forEach((label, row) => {
    values[row * golden.width + label]! += golden.distances[state]!;
  });
  return Float32Array.from(values);
}

const averageOf = ({ precision, recall, 'f1-score': f1 }: Average) => ({ precision, recall, f1 });

test.each(golden.tasks)('probes of mode official, $counts rows', async ({ counts, states }) => {
  const { config } = resolveConfig(weakProbeConfig, { mode: 'official' });
  const { width, distances } = golden;
  const store = memoryStore({ counts, width, distances });
  const drawn = { ...store, readState: async (at: number) => drawState(at, store.labels) };
  const reports: StateReport[] = [];
  for await (const { report } of explainStates({ store: drawn, config })) reports.push(report);
  for (const [at, expected] of states.entries()) {
    for (const { probe, accuracy, macro, weighted, confusion } of reports[at]!.probes) {
      const { [probe as 'mlp' | 'svm']: scores } = expected;
      expect(confusion, `${probe} at state ${at}`).toEqual(scores.confusion);
      expect(accuracy).toBeCloseTo(scores.accuracy, 12);
      for (const [own, other] of [
        [macro, scores.macro],
        [weighted, scores.weighted],
      ] as const) {
        for (const [key, value] of Object.entries(averageOf(other))) {
          expect(own[key as keyof typeof own], key).toBeCloseTo(value, 12);
        }
      }
    }
  }
});
