import { alignmentProgram } from '@lab/alignment';
import { ibmea } from './method.js';

/** The program `ibmea` with all its verbs, as `runCli` takes it. */
export const program = alignmentProgram(ibmea);
