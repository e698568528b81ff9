import { runCli } from '@lab/core/cli';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { captureOutput, type Printed, temporaryFolder } from '@lab/core/testing';
import type { FakeScript } from '@lab/llm/testing';
import { program } from '../../src/program.js';

/** Runs `widedeep-eval` with these arguments in this process. */
export const runProgram = (...argv: readonly string[]): Promise<Printed> =>
  captureOutput((io) => runCli(program, argv, io));

/** A server that names two angles and answers judges by their prompts. */
export const judgeScript: FakeScript = {
  rules: [
    {
      do: 'table',
      by: 'contains',
      answers: { 'From which angles': '$Accuracy& is it true?\n$Depth& is it all?' },
    },
    {
      do: 'choose',
      texts: [
        'Assistant 1 is right.\nScore of Assistant 1: 8\nScore of Assistant 2: 5',
        'Assistant 2 is right.\nScore of Assistant 1: 4\nScore of Assistant 2: 7',
        'Both will do.\nScore of Assistant 1: 6\nScore of Assistant 2: 6',
      ],
    },
  ],
};

/** The path of a new CSV file with pairs of answers of three systems. */
export function writePairs(count = 12): string {
  const systems = ['a', 'b', 'c'];
  const rows = Array.from({ length: count }, (_, at) => {
    const [one, two] = [systems[at % 3], systems[(at + 1) % 3]];
    const gold = ['1', '2', 'tie'][at % 3];
    return `p${at},Question ${at}?,One says ${at}.,Two says ${at + 1}.,${gold},${one},${two}`;
  });
  const path = join(temporaryFolder(), 'pairs.csv');
  const heading = 'id,question,answer1,answer2,gold,system1,system2';
  writeFileSync(path, `${heading}\n${rows.join('\n')}\n`);
  return path;
}
