import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { sha256 } from '@lab/core';
import type { RunFolder } from './run-folder.js';

/** Runs that were measured alike on the same samples of the same data: only these are compared. */
export interface TestSet {
  /** The data in a few words; with samples or candidates where these tell it from others. */
  readonly label: string;
  /** Name of the data alone. */
  readonly data: string;
  /** Digest of the samples; empty where they are not known. */
  readonly samples: string;
  /** Among what was ranked, as the settings have it; empty where they do not say. */
  readonly candidates: string;
  readonly runs: readonly RunFolder[];
}

/** Each run once, and a remark for every one that was given again. */
export function distinctRuns(runs: readonly RunFolder[]): {
  readonly runs: readonly RunFolder[];
  readonly remarks: readonly string[];
} {
  const byIdentity = new Map<string, RunFolder[]>();
  for (const run of runs) {
    const { id, start } = run.record;
    const key = JSON.stringify([id, start, run.record.seed]);
    byIdentity.set(key, [...(byIdentity.get(key) ?? []), run]);
  }
  const remarks = [...byIdentity.values()].flatMap(([first, ...others]) => {
    if (others.length === 0) return [];
    const isCopy = others.some(({ dir }) => realpathSync(dir) !== realpathSync(first!.dir));
    const times = others.length === 1 ? 'twice' : `${others.length + 1} times`;
    const what = isCopy ? ', as a copy,' : '';
    return [`${first!.name} was given ${times}${what} and counts once.`];
  });
  return { runs: [...byIdentity.values()].map(([first]) => first!), remarks };
}

const dataKey = ({ record }: RunFolder): string =>
  JSON.stringify(record.data.map((file) => file.sha256).sort());

/** Among what ranks and hits are counted: among fewer candidates both are better. */
const CANDIDATES = 'evaluation.candidates';

/** The runs by data, samples and candidates, in the order of their first run. */
export function testSets(runs: readonly RunFolder[]): TestSet[] {
  const labels = dataLabels(runs);
  const sets = new Map<string, Omit<TestSet, 'label'>>();
  for (const run of runs) {
    const own = dataKey(run);
    const known = runs.filter((other) => dataKey(other) === own && other.samples.key !== '');
    const only = new Set(known.map(({ samples }) => samples.key)).size === 1 ? known[0] : undefined;
    const samples = run.samples.key === '' ? (only?.samples.key ?? '') : run.samples.key;
    const candidates = run.settings[CANDIDATES] ?? '';
    const key = JSON.stringify([own, samples, candidates]);
    const runsBefore = sets.get(key)?.runs ?? [];
    sets.set(key, { data: labels.get(own)!, samples, candidates, runs: [...runsBefore, run] });
  }
  const list = [...sets.values()];
  return list.map((set) => {
    const rivals = list.filter(({ data }) => data === set.data);
    const differs = (key: 'samples' | 'candidates') => rivals.some((one) => one[key] !== set[key]);
    const { size } = set.runs.find(({ samples }) => samples.key !== '')?.samples.byId ?? new Map();
    const parts = [
      set.data,
      ...(differs('samples') ? [`${size} samples`] : []),
      ...(differs('candidates') ? [`candidates ${set.candidates || 'not set'}`] : []),
    ];
    return { ...set, label: parts.join(', ') };
  });
}

/** A name for each data set: its folder, else the files that the others do not have. */
function dataLabels(runs: readonly RunFolder[]): Map<string, string> {
  const byKey = new Map(runs.map((run) => [dataKey(run), run.record.data]));
  const keys = [...byKey.keys()];
  const filesOf = (key: string) => {
    const files = byKey.get(key)!;
    const isShared = ({ sha256: digest }: (typeof files)[number]) =>
      [...byKey.values()].every((others) => others.some((other) => other.sha256 === digest));
    const own = files.filter((file) => !isShared(file));
    return own.length > 0 ? own : files;
  };
  const pathsOf = (key: string) => filesOf(key).map(({ path }) => path);
  const folder = (key: string) => oneFolder(pathsOf(key));
  const files = (key: string) => listed(pathsOf(key).map((path) => basename(path)));
  const candidates: readonly ((key: string) => string)[] = [
    (key) => (pathsOf(key).length > SHOWN_FILES ? folder(key) : ''),
    files,
    folder,
    (key) => `${files(key)} (${sha256(key).slice(0, 6)})`,
  ];
  const isDistinct = (name: (key: string) => string) =>
    new Set(keys.map(name)).size === keys.length && keys.every((key) => name(key) !== '');
  const name = candidates.find(isDistinct) ?? candidates.at(-1)!;
  return new Map(keys.map((key) => [key, name(key)]));
}

const SHOWN_FILES = 3;

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no data files';
  return `${names.slice(0, SHOWN_FILES).join(' + ')}${names.length > SHOWN_FILES ? ' ...' : ''}`;
}

/** The name of the folder that holds all files; empty where there are several. */
function oneFolder(paths: readonly string[]): string {
  const [folder, ...others] = new Set(paths.map((path) => dirname(path)));
  return folder === undefined || others.length > 0 ? '' : basename(folder);
}
