import type { RunFolder } from './run-folder.js';

/** Runs that differ in nothing but their seed. */
export interface RunGroup {
  /** The few settings that tell it from the others, and how many more differ. */
  readonly label: string;
  /** All settings that are not the same in all groups, by path. */
  readonly settings: Readonly<Record<string, string>>;
  readonly runs: readonly RunFolder[];
}

const SEED = /(^|\.)seed$/;
/** Settings that people name first, in this order. */
const FIRST = [/^method$/, /^mode$/, /^preset$/, /(^|\.)epochs$/, /(^|\.)(learningRate|lr|rate)$/];
const SHOWN_SETTINGS = 3;

/** Runs by their settings but the seed, and the paths of the settings that differ. */
export function groupRuns(runs: readonly RunFolder[]): { groups: RunGroup[]; differing: string[] } {
  const all = runs.map((run) => ({ run, settings: settingsOf(run) }));
  const paths = [...new Set(all.flatMap(({ settings }) => Object.keys(settings)))];
  const varies = (of: (item: (typeof all)[number]) => unknown) => new Set(all.map(of)).size > 1;
  const values = paths.filter((path) => varies(({ settings }) => settings[path]));
  // A preset names a difference, but makes none.
  const hasPresets = values.length > 0 && varies(({ run }) => run.record.config.preset);
  const differing = hasPresets ? ['preset', ...values] : values;
  const groups = new Map<string, { settings: Record<string, string>; runs: RunFolder[] }>();
  for (const { run, settings } of all) {
    const key = JSON.stringify(values.map((path) => settings[path]));
    const named: typeof settings = { preset: run.record.config.preset ?? 'not set', ...settings };
    const own = Object.fromEntries(differing.map((path) => [path, named[path] ?? 'not set']));
    groups.set(key, {
      settings: groups.get(key)?.settings ?? own,
      runs: [...(groups.get(key)?.runs ?? []), run],
    });
  }
  const list = [...groups.values()];
  const label = groupLabel(list, differing);
  return { groups: list.map((group) => ({ ...group, label: label(group) })), differing };
}

function settingsOf(run: RunFolder): Record<string, string> {
  return {
    method: run.record.method,
    ...(run.record.config.mode === null ? {} : { mode: run.record.config.mode }),
    ...Object.fromEntries(Object.entries(run.settings).filter(([path]) => !SEED.test(path))),
  };
}

type Unnamed = Omit<RunGroup, 'label'>;

/** Names a group by three settings, or by as many more as no two groups then share a name. */
function groupLabel(groups: readonly Unnamed[], differing: readonly string[]) {
  if (differing.length === 0) return ({ runs }: Unnamed): string => runs[0]!.record.label;
  const text = (group: Unnamed, path: string): string =>
    `${path.split('.').at(-1)} ${group.settings[path]}`;
  const words = (group: Unnamed, paths: readonly string[]): string =>
    paths.map((path) => text(group, path)).join(', ');
  const distinct = (paths: readonly string[]): number =>
    new Set(groups.map((group) => words(group, paths))).size;
  const left = inOrder(differing);
  const shown = left.splice(0, SHOWN_SETTINGS);
  while (distinct(shown) < groups.length && left.length > 0) {
    const gains = left.map((path) => distinct([...shown, path]));
    shown.push(...left.splice(gains.indexOf(Math.max(...gains)), 1));
  }
  const more = left.length === 0 ? '' : `, +${left.length} more`;
  const inPlace = differing.filter((path) => shown.includes(path));
  return (group: Unnamed): string => words(group, inPlace) + more;
}

function inOrder(paths: readonly string[]): string[] {
  const place = (path: string): number => {
    const found = FIRST.findIndex((pattern) => pattern.test(path));
    return found < 0 ? FIRST.length : found;
  };
  return [...paths].sort((a, b) => place(a) - place(b));
}
