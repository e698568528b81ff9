import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.mjs';
import { members, pnpmVersion, root } from './workspace.mjs';

const stampPath = join(root, 'node_modules', '.lab-install');

/** A digest of everything that decides what an install does. */
function inputsDigest() {
  const manifests = ['packages', 'examples'].flatMap((folder) =>
    members(folder).map((member) => join(member.dir, 'package.json')),
  );
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', 'docs/package.json']
    .map((name) => join(root, name))
    .concat(manifests);
  const hash = createHash('sha256').update(`${pnpmVersion} ${process.platform} ${process.arch}`);
  for (const file of files) hash.update(existsSync(file) ? readFileSync(file) : 'absent');
  return hash.digest('hex');
}

/**
 * Installs the workspace from the lock file with the pinned pnpm, fetched through npx, so that Node
 * and npm are all a machine needs. Returns at once when nothing has changed since the last time.
 * Progress goes to standard error only, so that a caller's standard output stays its own.
 */
export async function ensureInstalled() {
  const digest = inputsDigest();
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === digest) return;
  process.stderr.write(`installing with pnpm ${pnpmVersion} ...\n`);
  const result = await run(
    process.platform === 'win32' ? 'npx.cmd' : 'npx',
    ['-y', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile', '--reporter=append-only'],
    { env: { CI: 'true', npm_config_loglevel: 'error' } },
  );
  if (result.code !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`);
    throw new Error(`the install ended with code ${result.code}; its output stands above`);
  }
  writeFileSync(stampPath, digest);
}
