import type { RunFolder } from './run-folder.js';
import type { TestSet } from './test-sets.js';

/** Runs that differ in nothing but their seed. */
export interface RunGroup {
  /** Method and data where they differ, and the few settings that tell it from its neighbours. */
  readonly label: string;
  /** All settings that are not the same in all groups, by path. */
  readonly settings: Readonly<Record<string, string>>;
  readonly runs: readonly RunFolder[];
  /** Index of the set of samples that it was measured on. */
  readonly testSet: number;
}

const SEED = /(^|\.)seed$/;
/** What a group is named by beside its settings. */
const KINDS = ['data', 'method'];
/** Settings that people name first, in this order. */
const FIRST = [/^mode$/, /^preset$/, /(^|\.)epochs$/, /(^|\.)(learningRate|lr|rate)$/];
const SHOWN_SETTINGS = 3;
const NOT_SET = 'not set';

/** A run with what it may differ in. */
interface Item {
  readonly run: RunFolder;
  readonly testSet: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** Runs by test set and settings but the seed, and the paths of the settings that differ. */
export function groupRuns(sets: readonly TestSet[]): { groups: RunGroup[]; differing: string[] } {
  const items = sets.flatMap(({ data, runs }, testSet) =>
    runs.map((run): Item => ({ run, testSet, settings: { data, ...settingsOf(run) } })),
  );
  const values = differingPaths(items);
  // A preset names a difference, but makes none.
  const presets = new Set(items.map(({ run }) => run.record.config.preset));
  const kinds = values.filter((path) => KINDS.includes(path));
  const others = values.filter((path) => !KINDS.includes(path));
  const hasPresets = values.length > 0 && presets.size > 1;
  const differing = [...kinds, ...(hasPresets ? ['preset'] : []), ...others];
  const groups = new Map<string, Omit<RunGroup, 'label'>>();
  for (const { run, testSet, settings } of items) {
    const key = JSON.stringify([testSet, ...values.map((path) => settings[path])]);
    const named: Item['settings'] = { ...settings, preset: run.record.config.preset ?? NOT_SET };
    const own = Object.fromEntries(differing.map((path) => [path, named[path] ?? NOT_SET]));
    const before = groups.get(key);
    groups.set(key, {
      settings: before?.settings ?? own,
      runs: [...(before?.runs ?? []), run],
      testSet,
    });
  }
  const list = [...groups.values()];
  const labels = groupLabels(list, { kinds, differing });
  return { groups: list.map((group, at) => ({ ...group, label: labels[at]! })), differing };
}

function settingsOf(run: RunFolder): Record<string, string> {
  return {
    method: run.record.method,
    ...(run.record.config.mode === null ? {} : { mode: run.record.config.mode }),
    ...Object.fromEntries(Object.entries(run.settings).filter(([path]) => !SEED.test(path))),
  };
}

/** Paths whose values differ; a setting that only some methods have, among their runs alone. */
function differingPaths(items: readonly Item[]): string[] {
  const paths = [...new Set(items.flatMap(({ settings }) => Object.keys(settings)))];
  const methods = [...new Set(items.map(({ settings }) => settings['method']))];
  return paths.filter((path) => {
    const having = methods.filter((method) =>
      items.some(({ settings }) => settings['method'] === method && path in settings),
    );
    const among = items.filter(({ settings }) => having.includes(settings['method']));
    return new Set(among.map(({ settings }) => settings[path])).size > 1;
  });
}

type Unnamed = Omit<RunGroup, 'label'>;

/** Method and data where they differ, and what tells a group from others of these. */
function groupLabels(
  groups: readonly Unnamed[],
  {
    kinds,
    differing,
  }: { readonly kinds: readonly string[]; readonly differing: readonly string[] },
): string[] {
  if (groups.length === 1) return [groups[0]!.runs[0]!.record.label];
  const settings = differing.filter((path) => !kinds.includes(path));
  const kindOf = (group: Unnamed) => words(group, kinds);
  return groups.map((group) => {
    const rivals = groups.filter((other) => kindOf(other) === kindOf(group));
    const { shown, more } = shownSettings(rivals, settings);
    const { method, data } = group.settings;
    const isUnique = rivals.every(
      (other) => other === group || words(other, shown) !== words(group, shown),
    );
    const parts = [
      ...(method === undefined ? [] : [method]),
      words(group, shown),
      ...(more > 0 ? [`+${more} more`] : []),
      ...(isUnique ? [] : [group.runs[0]!.name]),
    ];
    return onData(parts.filter((part) => part !== '').join(', '), data);
  });
}

/** A name with its data behind it; the data are the last to be missed where names are cut. */
function onData(name: string, data: string | undefined): string {
  if (data === undefined) return name;
  return name === '' ? `data ${data}` : `${name} on ${data}`;
}

/**
 * Three of the settings in which groups differ, or as many more as no two groups then share a name,
 * in their given order; and how many differ beside them.
 */
function shownSettings(
  groups: readonly Unnamed[],
  settings: readonly string[],
): { readonly shown: readonly string[]; readonly more: number } {
  const distinct = (paths: readonly string[]): number =>
    new Set(groups.map((group) => words(group, paths))).size;
  const telling = settings.filter((path) => distinct([path]) > 1);
  const left = inOrder(telling);
  const chosen = left.splice(0, SHOWN_SETTINGS);
  const most = distinct(telling);
  while (distinct(chosen) < most) {
    const gains = left.map((path) => distinct([...chosen, path]));
    chosen.push(...left.splice(gains.indexOf(Math.max(...gains)), 1));
  }
  return { shown: telling.filter((path) => chosen.includes(path)), more: left.length };
}

const words = (group: Unnamed, paths: readonly string[]): string =>
  paths.map((path) => `${path.split('.').at(-1)} ${group.settings[path]}`).join(', ');

function inOrder(paths: readonly string[]): string[] {
  const place = (path: string): number => {
    const found = FIRST.findIndex((pattern) => pattern.test(path));
    return found < 0 ? FIRST.length : found;
  };
  return [...paths].sort((a, b) => place(a) - place(b));
}
