import { readFileSync } from 'node:fs';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallResolved, smallTask } from './__fixtures__/small-task.js';
import type { IbmeaEpochRecord } from './epoch-record.js';
import { lossFigures, modelFigures } from './figures.js';
import { conclude, train } from './library.js';
import { ibmea } from './method.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const record = (epoch: number, extra: Partial<IbmeaEpochRecord> = {}): IbmeaEpochRecord => ({
  epoch,
  learningRate: 0.001 * epoch,
  loss: 9 - epoch,
  batches: [{ total: 1, infoNce: { graph: 2, relation: 3 }, kl: { graph: 20 }, hybrid: 0.5 }],
  gradientNorms: [1],
  seeds: 10,
  fusionWeights: [0.1, 0.2, 0.3, 0.2, 0.1, 0.1],
  ...extra,
});

describe('figures', () => {
  it('losses leave the price out where there is no bottleneck', () => {
    const titles = (epochs: readonly IbmeaEpochRecord[]) =>
      lossFigures(epochs, smallConfig()).map(({ figure }) => figure.title);
    expect(titles([record(0)])).toHaveLength(5);
    const plain = record(0, {
      batches: [{ total: 1, infoNce: { graph: 2 }, kl: {}, hybrid: null }],
    });
    expect(titles([plain])).toEqual(['InfoNCE per modality', 'Hybrid loss', 'Learning rate']);
  });

  it('weights and deviations are drawn where they were recorded', () => {
    const deviations = record(1, { meanScale: { graph: 0.4 } });
    expect(modelFigures([record(0), deviations])).toHaveLength(2);
    const { fusionWeights: _weights, ...without } = record(0);
    expect(modelFigures([without])).toEqual([]);
  });
});

describe('the page of a run', () => {
  it('has the sections of the method, named after it', async () => {
    const config = smallResolved({ 'training.epochs': 2 });
    const run = { parent: temporaryFolder(), label: 'x', command: ['ibmea'], backend: null };
    const trained = await train({ data: await smallTask(), config, run });
    const { reportPath } = await conclude(trained, { config, seconds: 1 });
    const { state } = trained;
    const epochs = [record(0), record(1)];
    const headings = async (of: typeof epochs) =>
      (await ibmea.sections({ epochs: of, config, state, encoding: null })).map(
        ({ heading }) => heading,
      );
    expect(await headings(epochs)).toEqual(['Losses', 'Bottlenecks and fusion']);
    expect(await headings([])).toEqual([]);
    state.dispose();
    const page = readFileSync(reportPath, 'utf8');
    for (const text of [
      'IBMEA on small pair',
      'Bottlenecks and fusion',
      'deviation of the graph',
    ]) {
      expect(page).toContain(text);
    }
  });
});
