import { runCli } from '@lab/core/cli';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { captureOutput, type Printed, temporaryFolder } from '@lab/core/testing';
import { writeAlignmentFolder } from '@lab/graph';
import { alignmentProgram } from '../program.js';
import { smallData, withImages } from './small-task.js';
import { tableMethod } from './table-method.js';

/** The program of the table method. */
export const program = alignmentProgram(tableMethod);

/** Runs the table method with these arguments in this process. */
export const runProgram = (...argv: readonly string[]): Promise<Printed> =>
  captureOutput((io) => runCli(program, argv, io));

let written: Promise<string> | undefined;

/** The path of a fresh copy of a small pair of graphs with attributes and images. */
export async function smallFolder(): Promise<string> {
  written ??= (async () => {
    const folder = join(temporaryFolder(), 'pair');
    await writeAlignmentFolder(folder, withImages(smallData()));
    return folder;
  })();
  const copy = join(temporaryFolder(), 'pair');
  cpSync(await written, copy, { recursive: true });
  return copy;
}

/** Flags that make a training of the small pair a matter of milliseconds. */
export const quick = ['--set', 'evaluation.baseline=false'];
