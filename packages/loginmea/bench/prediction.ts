// How well `check` foresees memory and time, see packages/alignment/bench/prediction/prediction.ts.
import { fileURLToPath } from 'node:url';
// @boundaries-ignore both methods are foreseen alike
import { comparePrediction } from '../../alignment/bench/prediction/prediction.js';
import { loginmea } from '../src/index.js';

await comparePrediction({
  method: loginmea,
  sets: ['en-fr-3k', 'en-fr-15k', 'fb15k64-db15k', 'synthetic-100k'],
  script: fileURLToPath(import.meta.url),
});
