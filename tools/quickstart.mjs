// npm run quickstart [-- options of `ibmea train`]: installs, then aligns the EN-FR 3K pair that is
// shipped with @lab/alignment. Runs from sources, so there is no build to wait for.
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { fromSources, runForeground } from './process.mjs';
import { root } from './workspace.mjs';

await ensureInstalled();

// The preset holds the promised quality within two minutes; an option given later wins.
const { code } = await runForeground(process.execPath, [
  ...fromSources(),
  join(root, 'packages', 'ibmea', 'src', 'cli.ts'),
  'train',
  '--data',
  'example:en-fr-3k',
  '--preset',
  'quick',
  ...process.argv.slice(2),
]);
process.exitCode = code;
