import { readFileSync } from 'node:fs';
import type { EpochRecord } from '@lab/alignment';
import { readRunRecord } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import type { AlignmentData } from '@lab/graph';
import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallResolved,
  smallTask,
  smallTraining,
  withImages,
} from './__fixtures__/small-task.js';
import { conclude, train } from './library.js';
import { loginmea } from './method.js';
import { version } from './version.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const record: EpochRecord = {
  epoch: 0,
  learningRate: 0.005,
  loss: 3,
  seeds: 10,
  batches: [3],
  earlyWeights: [0.3, 0.3, 0.4],
};

/** Headings and titles of the method's sections for an untrained model. */
async function sectionsOf(
  data: AlignmentData,
  settings: Record<string, unknown> = {},
  epochs: readonly EpochRecord[] = [record],
): Promise<Record<string, string[]>> {
  const config = smallResolved(settings);
  const state = smallTraining(await smallTask(data), config.config);
  const encoding = state.learner.encode();
  const sections = await loginmea.sections({ epochs, config, state, encoding });
  encoding.dispose();
  state.dispose();
  return Object.fromEntries(
    sections.map(({ heading, figures }) => [
      heading,
      (figures ?? []).map(({ figure }) => figure.title),
    ]),
  );
}

describe('the method', () => {
  it('says who it is', () => {
    const { name, title, packageName } = loginmea;
    expect({ name, title, packageName }).toEqual({
      name: 'loginmea',
      title: 'LoginMEA',
      packageName: '@lab/loginmea',
    });
    expect(loginmea.version).toBe(version);
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('the sections of a page', () => {
  const losses = ['Loss of the seed pairs', 'Learning rate'];

  it('with images, relations and attributes: losses and the local interaction', async () => {
    expect(await sectionsOf(withImages(smallData()))).toEqual({
      Losses: losses,
      'Local interaction': [
        'Weights of the joined modalities',
        'Weights of the modalities',
        'Weight of the image',
      ],
    });
  });

  it('without images: nothing on them', async () => {
    const sections = await sectionsOf(smallData());
    expect(sections['Local interaction']).not.toContain('Weight of the image');
  });

  it('with masked images: no figure of vectors put in', async () => {
    const sections = await sectionsOf(withImages(smallData()), { 'data.missingImages': 'mask' });
    expect(sections['Local interaction']).toEqual([
      'Weights of the joined modalities',
      'Weights of the modalities',
    ]);
  });

  it('of the graph alone: losses, and of a run without epochs none', async () => {
    const settings = { 'data.modalities': ['graph'] };
    const { earlyWeights: _weights, ...plain } = record;
    expect(await sectionsOf(smallData(), settings, [plain])).toEqual({ Losses: losses });
    expect(await sectionsOf(smallData(), settings, [])).toEqual({});
  });

  it('where nothing is judged: what was recorded alone, and no tensor is left', async () => {
    const config = smallResolved();
    const state = smallTraining(await smallTask(), smallConfig());
    const headings: string[] = [];
    const error = await expectNoLeak(async () => {
      const input = { epochs: [record], config, state, encoding: null };
      for (const section of await loginmea.sections(input)) headings.push(section.heading);
    });
    expect(error).toBeUndefined();
    expect(headings).toEqual(['Losses', 'Local interaction']);
    state.dispose();
  });
});

describe('the page of a run', () => {
  it('has the sections, named after the method, and the numbers of the run', async () => {
    const config = smallResolved({ 'training.epochs': 2 });
    const run = { parent: temporaryFolder(), label: 'x', command: ['loginmea'], backend: null };
    const trained = await train({ data: await smallTask(withImages(smallData())), config, run });
    const { reportPath, summary } = await conclude(trained, { config, seconds: 1 });
    const page = readFileSync(reportPath, 'utf8');
    for (const text of ['LoginMEA on small pair', 'Local interaction', 'Weight of the image']) {
      expect(page).toContain(text);
    }
    expect(summary.parameters).toBe(trained.state.learner.parameters.count());
    const { status, results } = readRunRecord(trained.run!.dir);
    expect(status).toBe('success');
    expect(results).toMatchObject({ epochs: 2, testPairs: 20 });
    trained.state.dispose();
  });
});
