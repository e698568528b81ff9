import { numericCode } from '../numeric-code.mjs';
// @boundaries-ignore both methods name their long checks alike
import { predictionCheck } from '../../../alignment/bench/method-checks.mjs';

const check = predictionCheck({ method: 'loginmea', numericCode });

export const { name, summary, command, codePaths } = check;
