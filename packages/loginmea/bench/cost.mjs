// LAB_DATA=DIR node packages/loginmea/bench/cost.mjs [ROUNDS], see
// packages/alignment/bench/cost.mjs.
import { fileURLToPath } from 'node:url';
// @boundaries-ignore both methods measure their cost alike
import { compareCost } from '../../alignment/bench/cost.mjs';

compareCost({
  packageDir: fileURLToPath(new URL('../', import.meta.url)),
  settings: ['--preset', 'dbp15k'],
  leanForm: 'lean_loginmea.py',
  leanFlags: ['--evaluate-every', '-1'],
  gate: { wallRatio: 1 },
});
