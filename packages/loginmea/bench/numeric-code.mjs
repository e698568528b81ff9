// @boundaries-ignore the shared sources are listed once
import { sharedNumericCode } from '../../alignment/bench/numeric-code.mjs';

/**
 * Sources that decide the numbers of a training; a long check is stale when one of them changes.
 */
export const numericCode = ['packages/loginmea/src', ...sharedNumericCode];
