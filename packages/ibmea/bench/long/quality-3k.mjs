import { numericCode } from '../numeric-code.mjs';
import { sourceCommand } from '../source-command.mjs';

export const name = 'ibmea-quality-3k';
export const summary = 'Hits@1 and MRR of both modes on SRPRS EN-FR 3k, as in docs/reproducing.md';
export const command = sourceCommand('quality.ts', '3k');
export const codePaths = numericCode;
