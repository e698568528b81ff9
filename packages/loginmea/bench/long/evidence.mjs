import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { evidenceCheck } from '../../../alignment/bench/method-checks.mjs';

const check = evidenceCheck({ method: 'loginmea', epochs: 20, numericCode });

export const { name, summary, command, codePaths } = check;
