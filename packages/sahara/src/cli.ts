/** Runs the program `sahara` on the process's arguments. */
import { runCli } from '@lab/core/cli';
import { program } from './program.js';

await runCli(program);
