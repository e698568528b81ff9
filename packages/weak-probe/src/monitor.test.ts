import { readFileSync } from 'node:fs';
import { LabError } from '@lab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { splitsOf } from './explain.js';
import { bestMonitorState, makeMonitor } from './make-monitor.js';
import { createMonitor, type MonitorBundle } from './monitor.js';
import type { ProbePrediction } from './probe-predictions.js';

const store = memoryStore({ counts: [200, 200], distances: [0, 4] });
const make = (probe: 'logistic' | 'mlp' | 'svm', ...set: string[]) =>
  makeMonitor({ store, config: settings('split.testShare=0.5', ...set), state: 1, probe });

/** As it comes from its file. */
const stored = (bundle: MonitorBundle): unknown => JSON.parse(JSON.stringify(bundle));

describe.each(['svm', 'logistic', 'mlp'] as const)('a monitor of %s', (kind) => {
  let bundle: MonitorBundle;
  beforeAll(async () => {
    bundle = await make(kind);
  });

  it('says how good it is on rows that it was neither fitted nor set on', async () => {
    const { quality, threshold } = bundle;
    expect(quality.rowCount).toBe(100);
    expect(quality.accuracy).toBeGreaterThan(0.95);
    expect(quality.auroc).toBeGreaterThan(0.98);
    expect(quality.falsePositiveRate).toBeLessThan(0.08);
    expect(quality.truePositiveRate).toBeGreaterThan(0.7);
    expect(Number.isFinite(threshold)).toBe(true);
  });

  it('reads states from its stored form', async () => {
    const monitor = createMonitor(stored(bundle));
    const values = await store.readState(1);
    const readings = Array.from(store.labels, (_, row) =>
      monitor.read(values.subarray(row * store.width, (row + 1) * store.width)),
    );
    const right = readings.filter(({ label }, row) => label === store.rows[row]!.label).length;
    expect(right / 400).toBeGreaterThan(0.95);
    for (const { score, probability, isAlarm } of readings) {
      expect(isAlarm).toBe(score >= bundle.threshold);
      expect(probability).toBeGreaterThanOrEqual(0);
      expect(probability).toBeLessThanOrEqual(1);
    }
  });
});

describe('the state of a monitor', () => {
  const config = settings('split.testShare=0.5');
  const { test } = splitsOf({ store, config })[0]!;
  const seen = [0, 0];
  /** For each test row, whether the threshold is set on it: every second one of its class. */
  const isSetOn = Array.from(test, (row) => (seen[store.labels[row]!]! += 1) % 2 === 0);
  const lines = (state: number, isRight: (at: number) => boolean) =>
    Array.from(test, (row, at): ProbePrediction => {
      const { id, label } = store.rows[row]!;
      const predicted = isRight(at) ? label : 'other';
      return { state, probe: 'svm', split: 0, id, label, predicted, margins: [0] };
    });

  it('is chosen on the rows that set its threshold, not on those of its quality', () => {
    // State 0 is right where the threshold is set; state 1 more often, though less there.
    const found = [...lines(0, (at) => isSetOn[at]!), ...lines(1, (at) => at % 10 > 0)];
    expect(bestMonitorState({ store, config }, found)).toBe(0);
    expect(
      bestMonitorState(
        { store, config },
        lines(1, () => true),
      ),
    ).toBe(1);
  });

  it('is not known of other probes and other splits', () => {
    const found = lines(0, () => true);
    expect(bestMonitorState({ store, config, probe: 'mlp' }, found)).toBeNull();
    const other = settings('split.testShare=0.5', 'seed=7');
    expect(bestMonitorState({ store, config: other }, found)).toBeNull();
    expect(bestMonitorState({ store, config }, found.slice(1))).toBeNull();
  });
});

describe('a stream', () => {
  const tiny = (): MonitorBundle => ({
    ...{
      schemaVersion: 1,
      kind: 'weak-probe-monitor',
      tokenizerFingerprint: 't',
      format: 'direct',
    },
    ...{
      system: '',
      normalisation: 'none',
      site: 'residual',
      positions: 'last',
      state: 3,
      isNormed: false,
      threshold: 1,
    },
    model: { path: 'tiny', fingerprint: 'abc' },
    probe: {
      ...{ kind: 'svm', classes: ['normal', 'harmful'], width: 1 },
      layer: { form: 'linear', weights: [2], intercepts: [-1], isVote: true },
    },
    calibration: { slope: 1, intercept: 0 },
    quality: {
      ...{ rowCount: 1, accuracy: 1, auroc: 1, truePositiveRate: 1, falsePositiveRate: 0, ece: 0 },
    },
  });

  it('raises its alarm after so many in a row, of the running mean', () => {
    const stream = createMonitor(tiny()).stream({ weight: 0.5, patience: 2 });
    // Scores 3, -1, 3, 3: running means 3, 1, 2, 2.5.
    const readings = [2, 0, 2, 2].map((value) => stream.read([value]));
    expect(readings.map(({ score }) => score)).toEqual([3, -1, 3, 3]);
    expect(readings.map(({ meanScore }) => meanScore)).toEqual([3, 1, 2, 2.5]);
    expect(readings.map(({ isRaised }) => isRaised)).toEqual([false, true, true, true]);
    expect(readings[3]).toMatchObject({ count: 4, highestScore: 3, isAlarm: true });
  });

  it('takes each token by itself unless told otherwise', () => {
    const stream = createMonitor(tiny()).stream();
    expect([0, 2, 0].map((value) => stream.read([value]).isAlarm)).toEqual([false, true, false]);
    expect(stream.read([0]).isRaised).toBe(true);
  });

  it('refuses states and bundles that it cannot take, as errors of the house', () => {
    const monitor = createMonitor(tiny());
    expect(monitor.read([0.5], 'abc').score).toBe(0);
    expect(() => monitor.read([0.5], 'other')).toThrow(/model other.*abc/);
    expect(() => monitor.read([1, 2])).toThrow(/2 numbers, the monitor reads 1/);
    expect(() => monitor.read([Number.NaN])).toThrow(/number 0 of the state is NaN/);
    expect(() => monitor.stream({ weight: 0 })).toThrow(/weight 0/);
    expect(() => createMonitor({ kind: 'other' })).toThrow(/no monitor/);
    expect(() => createMonitor({ ...tiny(), schemaVersion: 2 })).toThrow(/version 2/);
    const layer = { form: 'linear', weights: [1, 2], intercepts: [0], isVote: true };
    const damaged = { ...tiny(), probe: { ...tiny().probe, layer } };
    let caught: unknown;
    try {
      createMonitor(damaged);
    } catch (error) {
      caught = error;
    }
    expect(LabError.is(caught) && caught.code).toBe('LAB_DATA');
  });

  it('needs nothing but numbers', () => {
    const sources = ['monitor.ts', 'plain-probe.ts'].map((name) =>
      readFileSync(new URL(name, import.meta.url), 'utf8'),
    );
    const imports = sources.flatMap((text) =>
      [...text.matchAll(/from '([^']+)'/g)].map(([, name]) => name),
    );
    expect(imports).toEqual(['./plain-probe.js']);
  });
});

describe('makeMonitor', () => {
  it('refuses three classes, states out of range and probes without weights', async () => {
    const config = settings();
    const three = memoryStore({ counts: [20, 20, 20] });
    await expect(makeMonitor({ store: three, config, state: 0 })).rejects.toThrow(/3 classes/);
    await expect(makeMonitor({ store, config, state: 9 })).rejects.toThrow(/no state 9/);
    await expect(make('svm', 'svm.kernel=rbf')).rejects.toThrow(/no weights/);
    const few = memoryStore({ counts: [4, 30] });
    await expect(makeMonitor({ store: few, config, state: 1 })).rejects.toThrow(/class normal/);
  });
});
