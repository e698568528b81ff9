/**
 * The page of a run, made of the files in its folder.
 */
import { join } from 'node:path';
import {
  explainConfig,
  formatBytes,
  formatCount,
  formatCounted,
  formatPercent,
  formatShare,
  readRunRecord,
} from '@lab/core';
import {
  type BigNumber,
  type CaptionedFigure,
  type RunPage,
  type Section,
  type SettingRow,
  writeRunPage,
} from '@lab/report';
import { type Config, weakProbeConfig } from '../config.js';
import { accuracyFigure, controlName, controlScores, probeName } from '../figures/probe-figures.js';
import type { GraftResult } from '../graft-result.js';
import type { PublishedModel } from '../published.js';
import { writeResult } from '../run-files.js';
import { version } from '../version.js';
import { dissociationSections, runDissociation } from './dissociation-section.js';
import { predictionExamples } from './examples.js';
import { writeFigures } from './figure-files.js';
import { positionSections, positionSentence } from './position-section.js';
import { publishedSections } from './published-section.js';
import { bestProbe, readRun, type RunResults } from './read-run.js';
import {
  graftSection,
  lensSections,
  probeSections,
  steerSection,
  transferSections,
} from './sections.js';

/** What was written. */
export interface WrittenReport {
  readonly page: string;
  /** Folder of the figures, SVG and CSV. */
  readonly figures: string;
  /** What stands where: concept, words, decision, refusal, as JSON. */
  readonly dissociation: string;
}

/** What a page is made with. */
export interface RunPageOptions {
  /** Model of the published chart; default the one that the model's folder is called after. */
  readonly published?: PublishedModel | null | undefined;
}

/**
 * Writes `report.html`, `figures/` and `dissociation.json` into the folder of a run.
 *
 * @throws {DataError} where the run is not finished, or cannot be written to.
 */
export async function writeReport(
  dir: string,
  options: RunPageOptions = {},
): Promise<WrittenReport> {
  const run = readRun(dir);
  const page = await runPage(run, options);
  const path = join(dir, 'report.html');
  writeRunPage(path, page);
  const main = page.mainFigure === undefined ? [] : [page.mainFigure];
  const all = [...main, ...page.sections.flatMap(({ figures = [] }) => figures)];
  return {
    page: path,
    figures: writeFigures(dir, all),
    dissociation: writeResult(dir, 'dissociation', runDissociation(run)),
  };
}

/**
 * The page of a run, for `writeRunPage`.
 *
 * @throws {ConfigError} for a published model that the run cannot be of.
 */
export async function runPage(run: RunResults, options: RunPageOptions = {}): Promise<RunPage> {
  const { collection, probes } = run;
  const { record, store, dir } = collection;
  const main = mainFigure(run);
  const sections: Section[] = [
    ...dissociationSections(run),
    ...publishedSections(run, options.published),
    ...(await probeSections(run)),
    ...positionSections(run),
    ...transferSections(run),
    ...lensSections(run),
    ...(run.graft === null ? [] : [graftSection(run.graft)]),
    ...(run.steer === null ? [] : [steerSection(run.steer)]),
  ];
  const examples = predictionExamples(run);
  return {
    title: `${record.label}: what its hidden states tell`,
    eyebrow: `weak-probe run of ${record.start.slice(0, 10)}, ${record.id}`,
    sentence: sentenceOf(run),
    numbers: numbersOf(run),
    ...(main === null ? {} : { mainFigure: main }),
    sections,
    ...(examples.items.length === 0 ? {} : { examples }),
    cost: costOf(run),
    settings: settingRows(run),
    files: record.data,
    command: record.command.length === 0 ? 'started by a program' : record.command.join(' '),
    environment: [
      { label: 'package', value: `@lab/weak-probe ${version}` },
      { label: 'Node', value: String(record.environment['node'] ?? '') },
      { label: 'model', value: store.about.model.fingerprint.slice(0, 16) },
      { label: 'seed', value: String(record.seed) },
    ],
    warnings: [
      ...(probes?.warnings ?? []),
      ...(probes === null && run.positions === null
        ? [`No probes yet: weak-probe probe ${dir}`]
        : []),
      ...(record.status === 'success' ? [] : [`The collection ended as: ${record.status}.`]),
    ],
  };
}

function mainFigure({ probes }: RunResults): CaptionedFigure | null {
  if (probes === null) return null;
  return accuracyFigure(probes.states, controlScores(probes.controls));
}

/** The result in one sentence. */
export function sentenceOf({ probes, collection, positions }: RunResults): string {
  const { store } = collection;
  if (probes === null && positions !== null) return positionSentence(positions);
  if (probes === null) {
    return (
      `${formatCounted(store.rowCount, 'row')} of ${formatCounted(store.stateCount, 'state')} ` +
      'are collected; nothing was made of them yet.'
    );
  }
  const { report, probe } = bestProbe(probes);
  const strongest = probes.controls.find(({ control }) => control === probes.strongestControl);
  const words =
    strongest === undefined
      ? ''
      : `; the texts alone tell ${formatPercent(strongest.accuracy)} ` +
        `(${controlName(strongest.control)})`;
  const names = probes.classes.map(({ label }) => label);
  const last = names.at(-1);
  return (
    `A ${probeName(probe.probe)} on state ${report.state} tells ` +
    `${names.slice(0, -1).join(', ')} and ${last} apart in ${formatPercent(probe.accuracy)} of ` +
    `held-out prompts${words}.`
  );
}

function numbersOf({ probes, lens, graft }: RunResults): BigNumber[] {
  const numbers: BigNumber[] = [];
  if (probes !== null) {
    const { report, probe } = bestProbe(probes);
    const strongest = probes.controls.find(({ control }) => control === probes.strongestControl);
    numbers.push({
      label: `Accuracy at state ${report.state}`,
      value: probe.accuracy,
      interval: probe.interval,
      reference:
        strongest === undefined
          ? `chance ${formatShare(1 / probes.classes.length)}`
          : `${controlName(strongest.control)} ${formatShare(strongest.accuracy)}`,
    });
    const found = probes.emergence.find(({ probe: kind }) => kind === probe.probe);
    if (found !== undefined) {
      numbers.push({
        label: 'Read from state',
        value: found.firstState === null ? 'none' : String(found.firstState),
        reference: `first whose interval is above ${formatShare(found.baseline)}`,
      });
    }
  }
  if (graft !== null) numbers.push(graftNumber(graft));
  else if (lens !== null) numbers.push(consistencyNumber(lens));
  return numbers;
}

function graftNumber({ points, donors, recipients, bestState }: GraftResult): BigNumber {
  const none = points.find(({ source }) => source === 'none');
  const best = points.find(({ source, state }) => source === 'mean' && state === bestState);
  return {
    label: `Refused under a graft at state ${bestState}`,
    value: best?.refusalShare ?? 'none',
    ...(best === undefined ? {} : { interval: best.refusalInterval }),
    reference:
      `${recipients.label} prompts, donors ${donors.label}; without ` +
      formatShare(none?.refusalShare ?? Number.NaN),
  };
}

function consistencyNumber({ classes }: NonNullable<RunResults['lens']>): BigNumber {
  const { label, consistency } = classes.at(-1)!;
  const { value, interval } = consistency;
  return {
    label: `Consistency, ${label}`,
    value,
    ...(interval === null ? {} : { interval }),
    reference: classes
      .slice(0, -1)
      .map((one) => `${one.label} ${formatShare(one.consistency.value)}`)
      .join(', '),
  };
}

function costOf({ collection }: RunResults) {
  const { record, store, dir } = collection;
  const { start, end } = readRunRecord(dir);
  const seconds = end === null ? Number.NaN : (Date.parse(end) - Date.parse(start)) / 1000;
  const tokens = store.rows.reduce((sum, row) => sum + (row.token ? 0 : row.tokens), 0);
  return [
    { label: 'prompt tokens', value: formatCount(tokens) },
    {
      label: 'states on disk',
      value: formatBytes(4 * store.stateCount * store.rowCount * store.width),
    },
    { label: 'time of collecting', value: `${seconds.toFixed(1)} s` },
    { label: 'backend', value: backendName(record.backend) },
  ];
}

function backendName(backend: unknown): string {
  const name = (backend as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? name : 'n/a';
}

function settingRows({ collection }: RunResults): SettingRow[] {
  const { record } = collection;
  const { mode, preset, origins } = record.config;
  const config = record.config.resolved as Config;
  return explainConfig(weakProbeConfig, { config, mode: mode ?? '', preset, origins }).map(
    ({ path, value, origin }) => ({ path, value, origin }),
  );
}
