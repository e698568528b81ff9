// @boundaries-ignore long checks name their programs alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'widedeep-simulation';
export const summary =
  'SIMULATED networks, width 1-8 and depth 1-3, within two standard errors of exact numbers';
export const command = sourceCommand(
  'packages/widedeep-eval/bench/simulation/agreement.ts',
  '1000',
  'docs/figures/widedeep-width-depth.svg',
);
export const codePaths = ['packages/widedeep-eval/src', 'packages/widedeep-eval/bench/simulation'];
