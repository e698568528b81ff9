import { alignmentProgram } from '@lab/alignment';
import { loginmea } from './method.js';

/** The program `loginmea` with all its verbs, as `runCli` takes it. */
export const program = alignmentProgram(loginmea);
