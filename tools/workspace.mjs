import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** The one version of pnpm that everybody uses, from the root manifest. */
export const pnpmVersion = readJson(join(root, 'package.json')).packageManager.split('@')[1];

/** What a JSON file holds. */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The workspace members in one folder of the root, sorted: `{ folder, dir, manifest }`. */
export function members(folder) {
  const parent = join(root, folder);
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => existsSync(join(parent, name, 'package.json')))
    .sort()
    .map((name) => {
      const dir = join(parent, name);
      return { folder: name, dir, manifest: readJson(join(dir, 'package.json')) };
    });
}

/** All public packages. */
export const packages = () => members('packages').filter((member) => !member.manifest.private);

/** Public packages of machine code for one platform each; those of other platforms are left out. */
export const prebuiltPackages = () =>
  members('prebuilt').filter(
    ({ manifest }) => manifest.os.includes(process.platform) && manifest.cpu.includes(process.arch),
  );

/** The packages of the workspace that one package needs at run time, itself included, by name. */
export function closure(name, all = [...packages(), ...prebuiltPackages()], found = new Set()) {
  const member = all.find((candidate) => candidate.manifest.name === name);
  if (!member || found.has(name)) return found;
  found.add(name);
  const { dependencies, optionalDependencies } = member.manifest;
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
    closure(dependency, all, found);
  }
  return found;
}

/** The files below a folder whose path passes the test, sorted; no `node_modules` or `dist`. */
export function filesBelow(dir, accept, found = []) {
  for (const entry of existsSync(dir) ? readdirSync(dir, { withFileTypes: true }) : []) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) filesBelow(path, accept, found);
    else if (accept(path)) found.push(path);
  }
  return found.sort();
}
