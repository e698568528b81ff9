import { numericCode } from '../numeric-code.mjs';
import { sourceCommand } from '../source-command.mjs';

export const name = 'ibmea-quality-15k';
export const summary =
  'Hits@1 and MRR of mode official on SRPRS EN-FR 15k, as in docs/reproducing.md';
export const command = sourceCommand('quality.ts', '15k');
export const codePaths = numericCode;
