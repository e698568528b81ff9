/**
 * Flags of whole responses: whether they are made, and who judges them.
 */
import { readFileSync } from 'node:fs';
import { DataError } from '@lab/core';
import type { CliInput, CliOption } from '@lab/core/cli';
import { createRuleJudge, type RuleJudge, ruleJudgeNames } from '@lab/metrics';

const topic = 'responses';

/** Flags of verbs that generate. */
export const responseOptions: readonly CliOption[] = [
  { flags: '--responses', summary: 'generate and judge whole responses', kind: 'boolean', topic },
  {
    flags: '--judge <name>',
    summary: 'rules that tell a refusal',
    choices: ruleJudgeNames,
    default: 'sahara-paper',
    topic,
  },
  {
    flags: '--phrases <file>',
    summary: 'phrases of the judge, one a line; some judges need them',
    topic,
  },
  {
    flags: '--store-responses',
    summary: 'keep texts of responses, too; else verdict, length and hash',
    kind: 'boolean',
    topic,
  },
];

/**
 * The judge of the flags.
 *
 * @throws {DataError} for a file that cannot be read.
 * @throws {ConfigError} for a judge whose phrases are missing, saying where they can be had.
 */
export function judgeOf({ options }: CliInput): RuleJudge {
  const path = options['phrases'];
  const phrases = typeof path === 'string' ? linesOf(path) : undefined;
  return createRuleJudge(options['judge'] as string, phrases);
}

function linesOf(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split(/\r?\n/);
    return lines.filter((line) => line.trim() !== '');
  } catch (cause) {
    throw new DataError(`${path}: the file of phrases cannot be read.`, {
      ...{ file: path, cause, help: 'Check the path given with --phrases.' },
    });
  }
}
