/**
 * The page of several runs side by side: the same heads or others, more success or less.
 */
import { basename, resolve } from 'node:path';
import { formatCounted } from '@lab/core';
import type { RunPage } from '@lab/report';
import type { PaperModel } from '../published.js';
import { version } from '../version.js';
import { type NamedFile, scanSections, scansSentence } from './comparison-scans.js';
import { type AblatedRun, ablatedRun, successSections } from './comparison-success.js';
import { publishedSections } from './published-sections.js';
import type { RunContents } from './run-contents.js';

/** What a page of several runs is given beside them. */
export interface ComparisonOptions {
  /** Writes it again. */
  readonly command: string;
  /** The model of the paper that runs are compared with; default that of their folders' names. */
  readonly published?: PaperModel | null | undefined;
}

/** The page of several runs. */
export function comparisonPage(
  runs: readonly RunContents[],
  { command, published = null }: ComparisonOptions,
): RunPage {
  const named = runs.map((contents) => ({ name: basename(resolve(contents.dir)), contents }));
  const scans = named.flatMap(({ name, contents: { scores } }) =>
    scores === null ? [] : [{ ...scores, name }],
  );
  const ablated = named.flatMap(({ name, contents }) => ablatedRun(name, contents) ?? []);
  const sections = [
    ...(scans.length > 1 ? scanSections(scans) : []),
    ...(ablated.length > 0 ? successSections(ablated) : []),
    ...publishedSections(ablated, published),
  ];
  const [main, ...rest] = sections;
  return {
    title: 'Runs side by side',
    eyebrow: `sahara, ${formatCounted(runs.length, 'run')}`,
    sentence: sentenceOf(scans, ablated),
    numbers: [],
    ...(main?.figures?.[0] === undefined ? {} : { mainFigure: main.figures[0] }),
    sections:
      main === undefined ? [] : [{ ...main, figures: main.figures?.slice(1) ?? [] }, ...rest],
    ...{ cost: [], settings: [], files: filesOf(runs), command },
    environment: [{ label: 'package', value: `@lab/sahara ${version}` }],
    warnings: runs.flatMap(({ dir, record: { status } }) =>
      status === 'success' ? [] : [`${basename(dir)} ended as: ${status}.`],
    ),
  };
}

/** What the runs read, each file once. */
function filesOf(runs: readonly RunContents[]): RunPage['files'] {
  const files = runs.flatMap(({ record }) => record.data);
  return files.filter(
    ({ path, sha256 }, at) =>
      files.findIndex((other) => other.path === path && other.sha256 === sha256) === at,
  );
}

function sentenceOf(scans: readonly NamedFile[], ablated: readonly AblatedRun[]): string {
  const about = scansSentence(scans);
  if (about !== null) return about;
  return ablated.length > 0
    ? `Attack success in ${formatCounted(ablated.length, 'run')}.`
    : 'These runs have nothing that can be compared.';
}
