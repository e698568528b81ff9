/** What a comparison of runs says of them: how they are called, and where their settings differ. */
import { basename } from 'node:path';

/** Names of folders: their last parts, or whole paths where these are the same. */
export function folderNames(dirs: readonly string[]): string[] {
  const names = dirs.map((dir) => basename(dir.replace(/[/\\]+$/, '')));
  return names.map((name, at) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : dirs[at]!,
  );
}

/** A setting of one of several runs that do not have it alike. */
export interface DifferingSetting {
  /** Its topics and name, e.g. `window.maxLength`. */
  readonly path: string;
  /** As JSON, or `not set`. */
  readonly value: string;
  /** The run that has it. */
  readonly origin: string;
}

/** The settings in which runs differ, by path: for each its value in every run. */
export function differingSettings(
  runs: readonly { readonly name: string; readonly settings: unknown }[],
): DifferingSetting[] {
  const leaves = runs.map(({ settings }) => leavesOf(settings));
  const paths = [...new Set(leaves.flatMap((own) => [...own.keys()]))].sort();
  return paths.flatMap((path) => {
    const values = leaves.map((own) => own.get(path) ?? 'not set');
    if (new Set(values).size === 1) return [];
    return runs.map(({ name }, at) => ({ path, value: values[at]!, origin: name }));
  });
}

function leavesOf(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return path === '' ? new Map() : new Map([[path, JSON.stringify(value) ?? 'not set']]);
  }
  return new Map(
    Object.entries(value).flatMap(([name, leaf]) => [
      ...leavesOf(leaf, path === '' ? name : `${path}.${name}`),
    ]),
  );
}
