// LAB_DATA=DIR node packages/ibmea/bench/cost.mjs [ROUNDS], see packages/alignment/bench/cost.mjs.
import { fileURLToPath } from 'node:url';
// @boundaries-ignore both methods measure their cost alike
import { compareCost } from '../../alignment/bench/cost.mjs';

compareCost({
  packageDir: fileURLToPath(new URL('../', import.meta.url)),
  settings: ['--mode', 'official'],
  leanForm: 'lean_ibmea.py',
  leanFlags: [],
  gate: { cpuRatio: 1.7, wallRatio: 1, peakBytes: 2.5e9 },
});
