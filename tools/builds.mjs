import { join } from 'node:path';
import { runOrThrow } from './process.mjs';
import { root } from './workspace.mjs';

/**
 * Builds packages and those that they need; what has not changed comes from turbo's cache.
 *
 * @param folders - of packages, default all.
 */
export async function buildPackages(folders = []) {
  const turbo = join(root, 'node_modules', '.bin', 'turbo');
  const chosen = folders.map((folder) => `--filter=./packages/${folder}`);
  await runOrThrow(turbo, ['run', 'build', '--output-logs=errors-only', ...chosen]);
}
