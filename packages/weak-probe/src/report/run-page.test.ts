import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { runPageHtml } from '@lab/report';
import { selectBackend } from '@lab/tensor';
import { beforeAll, expect, test } from 'vitest';
import { organismCollection } from '../__fixtures__/organism.js';
import { run } from '../__fixtures__/run-program.js';
import { collectStates } from '../collect.js';
import { consistencyVsAsr } from '../consistency.js';
import { consistencyScatter } from '../figures/lens-figures.js';
import { classFigure, controlLines } from '../figures/probe-figures.js';
import { spreadStates } from '../figures/state-figures.js';
import type { Dissociation } from '../dissociation.js';
import { publishedModels } from '../published.js';
import { figureName } from './figure-files.js';
import { publishedSections } from './published-section.js';
import { bestProbe, readRun } from './read-run.js';
import { runPage, writeReport } from './run-page.js';

const dir = join(temporaryFolder(), 'run');

beforeAll(async () => {
  await selectBackend('wasm');
  const settings = ['data.format=chat', 'probe.kinds=["svm"]'];
  await collectStates(await organismCollection(dir, { limit: 20, settings }));
});

test('a collection without results has a page that says what to do', async () => {
  const page = await runPage(readRun(dir));
  expect(page.sentence).toBe('40 rows of 6 states are collected; nothing was made of them yet.');
  expect(page.warnings).toContain(`No probes yet: weak-probe probe ${dir}`);
  expect(page.sections.map(({ heading }) => heading)).toEqual(['States']);
});

test('what the verbs left stands on the page, with its figures as files', async () => {
  const graft = ['graft', dir, '--set', 'graft.recipients=8'];
  for (const args of [
    ['probe', dir, '--probes', 'svm'],
    ['lens', dir, '--follow', 'Sorry'],
    graft,
  ]) {
    const { code, stderr } = await run(args);
    expect(code, stderr).toBe(0);
  }
  const results = readRun(dir);
  const page = await runPage(results);
  const headings = page.sections.map(({ heading }) => heading);
  expect(headings).toEqual([
    ...['Concept, words, refusal', 'Probes', 'What the texts alone tell', 'States'],
    ...['What the lens says', 'Consistency', 'Logit Grafting'],
  ]);
  const { report, probe } = bestProbe(results.probes!);
  expect(probe.accuracy).toBe(
    Math.max(...results.probes!.states.map((one) => one.probes[0]!.accuracy)),
  );
  expect(page.sentence).toContain(`on state ${report.state} tells answered and refused apart`);
  expect(page.examples!.items.length).toBeGreaterThan(5);
  const html = runPageHtml(page);
  expect(html).toContain('What the lens says of refused prompts');
  const { page: path, figures, dissociation } = await writeReport(dir);
  expect(readFileSync(path, 'utf8')).toBe(html);
  const found = JSON.parse(readFileSync(dissociation, 'utf8')) as Dissociation;
  expect(found).toMatchObject({ answered: 'answered', refused: 'refused', layerCount: 5 });
  expect(found.stages.map(({ stage }) => stage)).toEqual([
    ...['concept', 'words', 'decision', 'refusal'],
  ]);
  // Openings were measured on the classes themselves.
  expect(found.stages.at(-1)!.verdict).toBe('not measured');
  for (const name of [
    'accuracy-by-state',
    'confusion-at-state-' + report.state,
    'classes-in-the-plane',
  ]) {
    expect(existsSync(join(figures, `${name}.svg`))).toBe(true);
    expect(existsSync(join(figures, `${name}.csv`))).toBe(true);
  }
});

test('a run of a published model stands beside its curves, with what differs', async () => {
  const results = readRun(dir);
  const { store } = results.collection;
  const [llama] = publishedModels;
  const model = { ...store.about.model, path: 'models/Llama-2-7b-hf', layerCount: 32 };
  const own = { ...store, about: { ...store.about, model, format: 'direct' } };
  const collection = { ...results.collection, store: own };
  const last = results.probes!.states.at(-1)!;
  const states = [...results.probes!.states, { ...last, state: 32, block: 31 }];
  const probes = { ...results.probes!, states };
  const [section] = publishedSections({ collection, probes });
  expect(section!.text).toContain('Llama-2-7b, bare.');
  expect(section!.text).toContain('Not the settings of the chart: prompts is 20 + 20');
  const rows = section!.table!.rows;
  expect(rows.map(({ name }) => name)).toEqual(
    [0, 1, 2, 3, 4, 5, 32].map((state) => `linear SVM, state ${state}`),
  );
  expect(rows[0]!['own']).toMatchObject({ value: 0.5, note: 'within, +.000' });
  expect(rows.at(-1)!['published']).toEqual({ value: 0.993, note: 'read .990 to .996' });
  expect(section!.figures![0]!.figure.csv).toContain('"published, Llama-2-7b, bare",32,0.993');
  expect(publishedSections({ collection, probes }, null)).toEqual([]);
  expect(publishedSections(results)).toEqual([]);
  expect(() => publishedSections(results, llama)).toThrow(/has 32 blocks, the run 5/);
  const { code, stderr } = await run(['report', dir, '--published', 'Llama-9']);
  expect(code).toBe(2);
  expect(stderr).toContain('Llama-2-7b, Llama-2-7b-chat');
});

test('lines of controls that lie together share a label', () => {
  const controls = [
    { name: 'words', accuracy: 0.52 },
    { name: 'length', accuracy: 0.5 },
    { name: 'first word', accuracy: 0.8 },
  ];
  expect(controlLines(controls)).toEqual([
    { y: 0.8, label: 'first word' },
    { y: 0.52, label: 'words, length' },
  ]);
});

test('many states are shown by some, with both ends', () => {
  expect(spreadStates(6)).toEqual([0, 1, 2, 3, 4, 5]);
  const some = spreadStates(33);
  expect([some.length, some[0], some.at(-1)]).toEqual([12, 0, 32]);
});

test('three classes have a figure of their own, two do not', () => {
  const probe = (labels: readonly string[]) =>
    ({
      probe: 'svm',
      classes: labels.map((label) => ({ label, precision: 1, recall: 1, f1: 0.9, support: 3 })),
    }) as never;
  const states = (labels: readonly string[]) => [{ state: 0, probes: [probe(labels)] }] as never;
  expect(classFigure(states(['a', 'b']), 'svm')).toBeNull();
  expect(classFigure(states(['a', 'b', 'c']), 'svm')!.figure.csv).toContain('c,0,0.9');
});

test('the scatter of models says its correlations with their intervals', () => {
  const points = [0.2, 0.4, 0.6, 0.8].map((consistency, at) => ({
    ...{ name: `m${at}`, consistency, attackSuccess: 0.9 - consistency + 0.01 * (at % 2) },
  }));
  const random = createRandom(1);
  const { caption } = consistencyScatter(consistencyVsAsr(points, { random, resamples: 200 }));
  expect(caption).toMatch(/n = 4\. Pearson -1\.00 \(95 %: /);
});

test('files of figures have plain names', () => {
  expect(figureName("Refusals by the dose of the probe's direction")).toBe(
    'refusals-by-the-dose-of-the-probe-s-direction',
  );
});
