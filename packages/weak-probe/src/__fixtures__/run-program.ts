import { runCli } from '@lab/core/cli';
import { captureOutput, type Printed } from '@lab/core/testing';
import { program } from '../program.js';

/** Runs `weak-probe` in this process; its exit code and what it wrote. */
export const run = (argv: readonly string[]): Promise<Printed> =>
  captureOutput((io) => runCli(program, argv, io));
