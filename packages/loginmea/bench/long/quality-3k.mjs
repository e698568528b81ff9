import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { sourceCommand } from '../../../alignment/bench/source-command.mjs';

export const name = 'loginmea-quality-3k';
export const summary = 'Hits@1 and MRR on SRPRS EN-FR 3k, as in docs/reproducing.md';
export const command = sourceCommand('packages/loginmea/bench/quality.ts', '3k');
export const codePaths = numericCode;
