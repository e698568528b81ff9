import { runCli } from '@lab/core/cli';
import { captureOutput, type Printed } from '@lab/core/testing';
import { program } from '../program.js';

/** Runs `loginmea` with these arguments in this process. */
export const runProgram = (...argv: readonly string[]): Promise<Printed> =>
  captureOutput((io) => runCli(program, argv, io));
