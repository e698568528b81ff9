// What the commands in packages/*/bin do in a checkout: they run the sources in this very process
// (so that signals and kill reach the work), and never a build that may be old or absent.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { resolve } from './source-condition.mjs';

/**
 * Imports the command `src/cli.ts` of a package; true when it has run, false when there is only a
 * build to run, because the tools of the checkout are not installed. With neither it says so.
 */
export async function importSource(url) {
  const tsx = await loadTsx();
  if (tsx === null) return !existsSync(new URL('../dist/cli.js', url)) && refuse();
  tsx.register();
  addCondition();
  await import(url);
  return true;
}

function refuse() {
  process.stderr.write(
    'error: the packages of this checkout are not installed.\n' +
      '  help: npm run quickstart installs them and shows a first result\n',
  );
  process.exitCode = 2;
  return true;
}

async function loadTsx() {
  try {
    return await import('tsx/esm/api');
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** Has every import resolve with the condition of sources, as `node --conditions` does. */
function addCondition() {
  const { register, registerHooks } = nodeModule;
  if (registerHooks === undefined) register('./source-condition.mjs', import.meta.url);
  else registerHooks({ resolve });
}
