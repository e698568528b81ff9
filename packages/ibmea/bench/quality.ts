// Quality rows of docs/reproducing.md, see packages/alignment/bench/quality/quality-table.ts: SET
// is one of the names in quality/sets.ts.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
// @boundaries-ignore both methods fill their quality tables alike
import { runQualityTable } from '../../alignment/bench/quality/quality-table.js';
import { ibmea } from '../src/index.js';
import { sets } from './quality/sets.js';

const here = fileURLToPath(new URL('.', import.meta.url));

await runQualityTable({
  method: ibmea,
  sets,
  folder: 'quality',
  lean: {
    script: join(here, 'reference', 'lean_ibmea.py'),
    record: join(here, 'results', 'lean-quality.jsonl'),
    flags: ({ preset }) => ['--brief', '--preset', preset],
  },
});
