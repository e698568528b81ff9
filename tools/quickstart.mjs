// npm run quickstart [-- options of `ibmea train`]: installs, then aligns the EN-FR 3K pair that is
// shipped with @lab/ibmea. Runs from sources, so there is no build to wait for.
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { fromSources, runForeground } from './process.mjs';
import { root } from './workspace.mjs';

await ensureInstalled();

// The preset holds the promised quality within two minutes; an option given later wins.
const data = join('packages', 'ibmea', 'data', 'en-fr-3k');
const { code } = await runForeground(process.execPath, [
  ...fromSources(),
  join(root, 'packages', 'ibmea', 'src', 'cli.ts'),
  'train',
  '--data',
  data,
  '--seeds',
  join(data, 'seeds.tsv'),
  '--preset',
  'quick',
  ...process.argv.slice(2),
]);
process.exitCode = code;
