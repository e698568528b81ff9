/**
 * A page of several runs: models, formats or sets side by side.
 */
import { basename } from 'node:path';
import { canonicalJson, ConfigError, formatCounted } from '@lab/core';
import { type RunPage, type Section, type Table, writeRunPage } from '@lab/report';
import { runsConsistencyFigure, runsFigure } from '../figures/run-figures.js';
import { dissociationTable, runDissociation } from './dissociation-section.js';
import { bestProbe, readRun, type RunResults } from './read-run.js';

/** A run under its name. */
interface NamedRun extends RunResults {
  readonly name: string;
}

/**
 * Writes a page that compares runs.
 *
 * @param dirs - run folders, two at least, each with probes.
 * @throws {ConfigError} for fewer runs, or one without probes.
 */
export function writeComparison(path: string, dirs: readonly string[]): string {
  return writeRunPage(path, comparisonPage(dirs)).path;
}

/** The page, for `writeRunPage`. */
export function comparisonPage(dirs: readonly string[]): RunPage {
  const runs = namedRuns(dirs);
  const kinds = runs.map(({ probes }) => probes!.states[0]!.probes.map(({ probe }) => probe));
  const shared = kinds[0]!.filter((kind) => kinds.every((own) => own.includes(kind)));
  const probed = runs.map(({ name, probes }) => ({ name, probes: probes! }));
  const [main, ...others] = shared.flatMap((kind) => [
    runsFigure(probed, kind),
    ...familiesOf(runs).map(({ family, names }) =>
      runsFigure(
        probed.filter(({ name }) => names.includes(name)),
        kind,
        family,
      ),
    ),
  ]);
  const read = runs.flatMap(({ name, lens }) => (lens === null ? [] : [{ name, lens }]));
  const sections: Section[] = [
    { heading: 'Runs', table: runTable(runs), figures: others },
    {
      heading: 'Concept, words, refusal',
      table: dissociationTable(
        runs.map((run) => ({ name: run.name, found: runDissociation(run) })),
      ),
    },
    ...(read.length === 0
      ? []
      : [{ heading: 'Consistency', figures: [runsConsistencyFigure(read)] }]),
    { heading: 'What differs', table: settingTable(runs) },
  ];
  return {
    title: `${formatCounted(runs.length, 'run')}: concept, words, refusal`,
    eyebrow: 'weak-probe, runs side by side',
    sentence: sentenceOf(runs),
    numbers: [],
    ...(main === undefined ? {} : { mainFigure: main }),
    sections,
    cost: [],
    settings: [],
    files: [],
    command: `weak-probe report ${dirs.join(' ')}`,
    warnings: warningsOf(runs),
  };
}

function namedRuns(dirs: readonly string[]): NamedRun[] {
  const names = dirs.map((dir) => basename(dir));
  const isUnique = new Set(names).size === names.length;
  const runs = dirs.map((dir, at) => ({ name: isUnique ? names[at]! : dir, ...readRun(dir) }));
  const bare = runs.find(({ probes }) => probes === null);
  if (bare === undefined && runs.length > 1) return runs;
  throw new ConfigError(
    bare === undefined
      ? `weak-probe/report: ${formatCounted(runs.length, 'run')} cannot be compared.`
      : `${bare.collection.dir}: has no probes to compare.`,
    { help: 'Give two or more runs that "weak-probe probe" has read.' },
  );
}

/** Runs of each architecture; none where all are of one, whose figure has them all. */
function familiesOf(runs: readonly NamedRun[]) {
  const families = new Map<string, string[]>();
  for (const { name, collection } of runs) {
    const { modelType, layerCount } = collection.store.about.model;
    const family = `${modelType}, ${formatCounted(layerCount, 'block')}`;
    families.set(family, [...(families.get(family) ?? []), name]);
  }
  const all = [...families].map(([family, names]) => ({ family, names }));
  return all.length > 1 ? all.filter(({ names }) => names.length > 1) : [];
}

function sentenceOf(runs: readonly NamedRun[]): string {
  const parts = runs.map(({ name, probes }) => {
    const { report, probe } = bestProbe(probes!);
    return `${name} ${(100 * probe.accuracy).toFixed(1)} % at state ${report.state}`;
  });
  return `Best accuracy on held-out prompts: ${parts.join('; ')}.`;
}

/** Is the concept there, does it become words, is it refused. */
function runTable(runs: readonly NamedRun[]): Table {
  const share = (key: string, label: string) => ({ key, label, kind: 'share' }) as const;
  return {
    caption: 'The concept, its link to words, and refusals; see the page of each run',
    columns: [
      { key: 'name', label: 'Run' },
      { key: 'n', label: 'Prompts', kind: 'count' },
      share('accuracy', 'Best accuracy'),
      share('texts', 'Texts alone'),
      { key: 'from', label: 'Read from state', kind: 'count' },
      share('negative', 'Negative words, middle, last class'),
      share('refused', 'Refused'),
      share('grafted', 'Refused when grafted'),
    ],
    rows: runs.map(runRow),
  };
}

function runRow({ name, probes, lens, graft, collection }: NamedRun) {
  const { probe } = bestProbe(probes!);
  const texts = probes!.controls.map(({ accuracy }) => accuracy);
  const emergence = probes!.emergence.find((one) => one.probe === probe.probe);
  const none = graft?.points.find(({ source }) => source === 'none');
  const state = graft?.bestState ?? null;
  const grafted = graft?.points.find((one) => one.source === 'mean' && one.state === state);
  const { low, high } = probe.interval;
  return {
    name,
    n: collection.store.rowCount,
    accuracy: { value: probe.accuracy, low, high },
    texts: texts.length === 0 ? null : Math.max(...texts),
    from: emergence?.firstState ?? { value: null, note: 'none' },
    negative: lens?.classes.at(-1)?.negativeConsistency.value ?? null,
    refused: none?.refusalShare ?? null,
    grafted: grafted === undefined ? null : { value: grafted.refusalShare, note: `state ${state}` },
  };
}

/** Settings that are not the same in all runs. */
function settingTable(runs: readonly NamedRun[]): Table {
  const facts = runs.map(({ collection }) => {
    const { model, format, system, site, positions, isNormed, classes } = collection.store.about;
    const { config } = collection;
    return {
      model: model.path,
      fingerprint: model.fingerprint.slice(0, 12),
      ...{ format, system, site, positions, isNormed, classes },
      'data.limit': config.data.limit,
      'data.deduplicate': config.data.deduplicate,
      seed: config.seed,
    } as Record<string, unknown>;
  });
  const differing = Object.keys(facts[0]!).filter(
    (key) => new Set(facts.map((own) => canonicalJson(own[key]))).size > 1,
  );
  const text = (value: unknown) => (typeof value === 'string' ? value : canonicalJson(value));
  return {
    caption: differing.length === 0 ? 'No setting differs' : 'Settings that differ',
    columns: [
      { key: 'setting', label: 'Setting', kind: 'code' },
      ...runs.map(({ name }) => ({ key: name, label: name, kind: 'code' }) as const),
    ],
    rows: differing.map((key) => ({
      setting: key,
      ...Object.fromEntries(runs.map(({ name }, at) => [name, text(facts[at]![key])])),
    })),
  };
}

function warningsOf(runs: readonly NamedRun[]): string[] {
  const sets = new Set(runs.map(({ collection }) => collection.store.about.promptsSha256));
  const own = runs.flatMap(({ name, probes }) =>
    probes!.warnings.map((warning) => `${name}: ${warning}`),
  );
  return sets.size === 1
    ? own
    : ['The runs read different texts: other prompts, or another format.', ...own];
}
