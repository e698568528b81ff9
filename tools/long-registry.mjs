import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, packages, root } from './workspace.mjs';

/** Where long checks are declared: in every package, and here for those of all packages at once. */
const folders = () => [
  ...packages().map(({ dir }) => join(dir, 'bench', 'long')),
  join(root, 'tools', 'long'),
];

/**
 * The long checks that packages declare in `bench/long/*.mjs`, and the root in `tools/long/*.mjs`,
 * each exporting
 *
 * - `name`, unique and kebab-case, and `summary`, one line;
 * - `command`: program and arguments, started in the root folder; it resumes by itself when it
 *   finds its own unfinished work, and prints one JSON value as the last line of standard output;
 * - `codePaths`: files and folders, from the root, whose change makes an old result stale.
 */
export async function readLongChecks(members) {
  const checks = [];
  const places = members?.map(({ dir }) => join(dir, 'bench', 'long')) ?? folders();
  for (const place of places) {
    for (const file of filesBelow(place, (path) => path.endsWith('.mjs'))) {
      const { name, summary, command, codePaths } = await import(pathToFileURL(file).href);
      if (!name || !summary || !Array.isArray(command) || !Array.isArray(codePaths)) {
        throw new Error(
          `${relative(root, file)} must export name, summary, command[] and codePaths[]`,
        );
      }
      const twin = checks.find((check) => check.name === name);
      if (twin) throw new Error(`two long checks are called ${name}: ${twin.file} and ${file}`);
      checks.push({ name, summary, command, codePaths, file });
    }
  }
  return checks;
}

/** A digest of all files below the code paths: the same exactly as long as the code is the same. */
export function codeDigest(codePaths, from = root) {
  const hash = createHash('sha256');
  for (const codePath of codePaths) {
    const path = join(from, codePath);
    if (!existsSync(path)) throw new Error(`code path ${codePath} does not exist`);
    const files = statSync(path).isDirectory() ? filesBelow(path, isCode) : [path];
    for (const file of files) hash.update(relative(from, file)).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

const isCode = (path) => !/\.test\.ts$|\.md$|CHANGELOG/.test(path);

/** `never run`, `stale`, `failed` or `current`, from the newest entry of a check. */
export function stateOf(check, entries, digest) {
  const newest = entries.filter((entry) => entry.name === check.name).at(-1);
  if (!newest) return 'never run';
  if (newest.code !== digest) return 'stale';
  return newest.status === 'success' ? 'current' : newest.status;
}
