/**
 * The page of a run, and those of single judgements.
 */
import { join } from 'node:path';
import { DataError, formatPercent, LabError } from '@lab/core';
import type { Prediction } from '@lab/llm';
import { type Example, writeRunPage } from '@lab/report';
import type { JudgedSample } from '../judged-sample.js';
import { differenceOf, type Judgement, reviewsOf, scoresText } from '../judgement.js';
import { eachPrediction } from '../read-run.js';
import type { Sample } from '../sample.js';
import { type ReportFacts, runPage } from './run-page.js';
import { samplePage, wordsOf } from './sample-page.js';
import { samplesOfRun } from './samples-of-run.js';

const pageFile = 'report.html';
const shownOfEach = 10;

/**
 * Writes `report.html` into the folder of a run.
 *
 * @param samples - the pairs; default those that the flags of the run name, where it has flags.
 * @returns its path.
 * @throws {DataError} when it cannot be written.
 */
export async function writeReport(
  dir: string,
  facts: ReportFacts,
  samples?: readonly Sample[],
): Promise<string> {
  const shown = shownSamples(facts.samples);
  const texts = await textsOf(dir, shown, samples);
  const path = join(dir, pageFile);
  writeRunPage(path, runPage(dir, facts, await examplesOf(dir, shown, texts)));
  return path;
}

/**
 * Writes the page of one judgement into the folder of its run.
 *
 * @param samples - the pairs; default those that the flags of the run name, where it has flags.
 * @returns its path.
 * @throws {DataError} when the run has no such sample.
 */
export async function writeSamplePage(
  dir: string,
  id: string,
  samples?: readonly Sample[],
): Promise<string> {
  let found: Prediction<Judgement> | undefined;
  await eachPrediction(dir, (prediction) => {
    if (prediction.id === id) found = prediction;
  });
  if (found === undefined) {
    throw new DataError(`${dir}: no pair has the id ${JSON.stringify(id)}.`, {
      file: dir,
      help: 'ids stand in the column "id" of predictions.jsonl and on the page of the run.',
    });
  }
  const sample = (await textsOf(dir, [id], samples)).get(id);
  const path = join(dir, `judgement-${id.replace(/[^\w.-]+/g, '-')}.html`);
  writeRunPage(path, samplePage({ dir, prediction: found, sample }));
  return path;
}

/** Right and wrong ones, evenly spaced over the run. */
function shownSamples(samples: readonly JudgedSample[]): string[] {
  const labelled = samples.filter(({ gold, verdict }) => gold !== null && verdict !== null);
  const right = labelled.filter(({ gold, verdict }) => gold === verdict);
  const wrong = labelled.filter(({ gold, verdict }) => gold !== verdict);
  const some = labelled.length === 0 ? [spaced(samples)] : [spaced(right), spaced(wrong)];
  return some.flat().map(({ id }) => id);
}

function spaced<T>(items: readonly T[]): T[] {
  const step = Math.max(1, items.length / shownOfEach);
  const count = Math.min(items.length, shownOfEach);
  return Array.from({ length: count }, (_, at) => items[Math.floor(at * step)]!);
}

/** The texts of samples by id; none where the data are gone or were made by a program. */
async function textsOf(
  dir: string,
  ids: readonly string[],
  samples?: readonly Sample[],
): Promise<ReadonlyMap<string, Sample>> {
  const wanted = new Set(ids);
  const found = samples ?? (await samplesOfRun(dir, undefined).catch(whenGone));
  return new Map(
    found.flatMap((sample) => (wanted.has(sample.id) ? [[sample.id, sample] as const] : [])),
  );
}

function whenGone(error: unknown): readonly Sample[] {
  if (LabError.is(error)) return [];
  throw error;
}

async function examplesOf(
  dir: string,
  ids: readonly string[],
  texts: ReadonlyMap<string, Sample>,
): Promise<Example[]> {
  const wanted = new Set(ids);
  const examples: Example[] = [];
  await eachPrediction(dir, ({ id, output }) => {
    if (output !== null && wanted.has(id)) examples.push(exampleOf(id, output, texts.get(id)));
  });
  return examples;
}

const titleLength = 110;

function exampleOf(id: string, judgement: Judgement, sample: Sample | undefined): Example {
  const { gold, verdict, aggregates, conflictRate, layers, roles } = judgement;
  const { avgAll } = aggregates;
  const question = sample?.question.replace(/\s+/g, ' ') ?? '';
  const short = question.length > titleLength ? `${question.slice(0, titleLength)}…` : question;
  const facts = [
    { label: 'pair', value: id },
    { label: 'network', value: wordsOf(verdict) },
    ...(gold === null ? [] : [{ label: 'people', value: wordsOf(gold) }]),
    ...(avgAll === null
      ? []
      : [{ label: 'mean scores', value: `${avgAll.U.toFixed(1)} : ${avgAll.V.toFixed(1)}` }]),
    ...(conflictRate === null
      ? []
      : [{ label: 'change with the order', value: formatPercent(conflictRate, 0) }]),
    ...(roles.length === 0
      ? []
      : [{ label: 'angles', value: roles.map(({ name }) => name).join(', ') }]),
  ];
  const text = [
    ...(sample === undefined ? [] : [`ANSWER 1\n${sample.answer1}`, `ANSWER 2\n${sample.answer2}`]),
    ...layers.flatMap(discussionText),
  ].join('\n\n');
  return {
    verdict: gold === verdict ? 'right' : 'wrong',
    title: short === '' ? id : short,
    facts,
    ...(text === '' ? {} : { text: cut(text) }),
  };
}

const maxExampleText = 12_000;
const cut = (text: string): string =>
  text.length <= maxExampleText
    ? text
    : `${text.slice(0, maxExampleText)}\n[cut: the page of the pair has all]`;

function discussionText({ layer, neurons }: Judgement['layers'][number]): string[] {
  return neurons.flatMap((neuron) =>
    reviewsOf(neuron).map((review, at) => {
      const who = `LAYER ${layer}, JUDGE ${neuron.j + 1} (${neuron.roles.join(', ') || 'no role'})`;
      const difference = differenceOf(review);
      const scores = difference === null ? 'no scores' : scoresText(review);
      return `${who}, ${at === 0 ? 'answer 1 first' : 'answer 2 first'}: ${scores}\n${review.text}`;
    }),
  );
}
