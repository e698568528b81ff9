/** `correlate`: consistency of several models against how often they are attacked with success. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ConfigError, createRandom, DataError, formatShare } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { z } from 'zod';
import { type ConsistencyPoint, consistencyVsAsr } from '../consistency.js';
import { consistencyScatter } from '../figures/lens-figures.js';
import type { LensResult } from '../lens-result.js';
import { publishedCorrelations } from '../published.js';
import { writeFigures } from '../report/figure-files.js';
import { readResult } from '../run-files.js';

const schema = z.array(
  z.strictObject({
    run: z.string(),
    name: z.string().optional(),
    attackSuccess: z.number().min(0).max(1),
  }),
);

const FORM = 'Write [{ "run": "runs/a", "name": "model a", "attackSuccess": 0.31 }].';

/** The verb `correlate`. */
export const correlateCommand: CliCommand = {
  name: 'correlate',
  summary: 'Set the consistency of several models against how often attacks on them succeed.',
  arguments: [
    {
      name: 'file',
      summary: 'JSON list of runs that "weak-probe lens" has read, with attackSuccess',
      required: true,
    },
  ],
  options: [
    { flags: '--class <name>', summary: 'class of the prompts; default the last of each run' },
    { flags: '--seed <n>', summary: 'of the resamples', kind: 'integer', default: 42 },
    { flags: '-o, --out <dir>', summary: 'folder for the scatter plot, SVG and CSV; default none' },
  ],
  example: 'weak-probe correlate models.json --class malicious',
  run: async (context, input) => run(context, input),
};

function run(context: CliContext, input: CliInput): void {
  const path = input.arguments[0]!;
  const label = input.options['class'] as string | undefined;
  const points = readPoints(path).map(({ run: dir, name, attackSuccess }): ConsistencyPoint => {
    const consistency = consistencyOf(dir, label);
    return { name: name ?? basename(dir), consistency, attackSuccess };
  });
  const random = createRandom(input.options['seed'] as number).fork('correlate');
  const found = consistencyVsAsr(points, { random });
  context.print(
    `${table(
      points.map(({ name, consistency, attackSuccess }) => ({
        model: name,
        consistency: formatShare(consistency),
        'attack success': formatShare(attackSuccess),
      })),
    )}\n`,
  );
  const rows = (['pearson', 'spearman', 'kendall'] as const).map((kind) => {
    const { value, low, high } = found[kind];
    return {
      correlation: kind,
      value: formatShare(value),
      '95 %': `${formatShare(low)} to ${formatShare(high)}`,
    };
  });
  context.print(`${table(rows)}\nn = ${points.length} models: with few, intervals are wide\n`);
  const published = publishedCorrelations.map(({ prompts, value }) => `${value} (${prompts})`);
  context.print(`published, kind not stated: ${published.join(', ')}\n`);
  const out = input.options['out'];
  const figures = typeof out === 'string' ? writeFigures(out, [consistencyScatter(found)]) : null;
  if (figures !== null) context.print(`picture ${figures}\n`);
  const { pearson, spearman, kendall } = found;
  const metrics = { pearson, spearman, kendall };
  context.printJson({
    ...{ run: null, status: 'success', metrics, points },
    ...{ published: publishedCorrelations, figures },
  });
}

function readPoints(path: string): z.infer<typeof schema> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DataError(`${path}: cannot be read (${(cause as Error).message}).`, {
      ...{ file: path, cause, help: FORM },
    });
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const { path: place, message } = parsed.error.issues[0]!;
  throw new DataError(`${path}: ${place.join('.')}: ${message}.`, { file: path, help: FORM });
}

function consistencyOf(dir: string, label: string | undefined): number {
  const lens = readResult<LensResult>(dir, 'lens');
  if (lens === null) {
    throw new DataError(`${dir}: its lens has not been read.`, {
      ...{ file: dir, help: `Read it first: weak-probe lens ${dir}` },
    });
  }
  const labels = lens.classes.map((one) => one.label);
  const found = label === undefined ? lens.classes.at(-1) : lens.classes[labels.indexOf(label)];
  if (found !== undefined) return found.consistency.value;
  throw new ConfigError(`${dir}: its lens has no class ${label}.`, {
    help: `There are ${labels.join(', ')}.`,
  });
}
