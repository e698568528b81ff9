/** `compare`: two scans, or two checkpoints, head by head. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConfigError,
  formatCounted,
  formatNumber,
  formatPercent,
  formatShare,
  writeFileAtomic,
} from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, table } from '@lab/core/cli';
import { compareCheckpoints, type ComparedCheckpoints } from '../compare-checkpoints.js';
import { leadingCount, rankHeads } from '../head.js';
import { type ComparedScores, compareScores, scoreFileDifferences } from '../overlap.js';
import { loadScores, type ScoreFile } from '../score-file.js';
import { headsText, scoreFilePath } from './head-options.js';

/** The verb `compare`. */
export const compareCommand: CliCommand = {
  name: 'compare',
  summary: 'Compare two scans, or the weights of two checkpoints, head by head.',
  arguments: [
    {
      ...{ name: 'first', required: true },
      summary: 'run or file of scores, of every head alone; or a checkpoint',
    },
    { name: 'second', summary: 'another of the same kind', required: true },
  ],
  options: [
    { flags: '--top <n>', summary: 'heads that count as the best', kind: 'integer', default: 10 },
    {
      flags: '--scores <file>',
      summary: 'of checkpoints: whether these heads are those that changed',
    },
    { flags: '-o, --out <file>', summary: 'JSON with all numbers' },
  ],
  example: 'sahara compare runs/uniform runs/scale --top 10',
  run: async (context, input) => {
    const [first, second] = input.arguments as [string, string];
    const kinds = [first, second].map(isOfScores);
    if (kinds[0] !== kinds[1]) {
      throw new ConfigError(`${first} and ${second} are a scan and a checkpoint.`, {
        help: 'Compare two scans, or two checkpoints.',
      });
    }
    await (kinds[0] === true ? scans(context, input) : checkpoints(context, input));
  },
};

/** Whether a path is a file of scores or a run with one; else it is taken for a checkpoint. */
function isOfScores(path: string): boolean {
  if (!existsSync(path)) return false;
  if (statSync(path).isDirectory()) return existsSync(join(path, 'scores.json'));
  return path.endsWith('.json');
}

/** Heads that are asked for, or fewer where the rest have scores of rounding. */
function topOf(
  context: CliContext,
  { options }: CliInput,
  all: Parameters<typeof leadingCount>[0],
): number {
  const asked = options['top'] as number;
  if (!(asked >= 1)) throw new ConfigError(`--top is ${asked}, at least 1.`);
  const top = leadingCount(all, asked);
  if (top < asked) {
    context.note(`remark   ${formatCounted(top, 'head')} of ${asked}: others have no score`);
  }
  return top;
}

function save({ options }: CliInput, value: object): void {
  const out = options['out'];
  if (typeof out === 'string') writeFileAtomic(out, `${JSON.stringify(value, null, 2)}\n`);
}

async function scans(context: CliContext, input: CliInput): Promise<void> {
  const [one, two] = input.arguments.map((path) => loadScores(scoreFilePath(path)));
  const differences = scoreFileDifferences(one!, two!);
  for (const difference of differences) context.note(`differs  ${difference}`);
  if (differences.length === 0) context.note('both were made of the same model, data and settings');
  const compared = compareScores(one!, two!, { top: topOf(context, input, [one!, two!]) });
  save(input, { differences, ...compared });
  context.printJson({ run: null, status: 'success', metrics: null, differences, ...compared });
  context.print(`${scanText(compared)}${groupText(one!, two!)}`);
}

/** The groups that searches picked, where one of the two is a search. */
function groupText(...files: readonly [ScoreFile, ScoreFile]): string {
  if (files.every(({ group }) => group === undefined)) return '';
  const [first, second] = files.map(({ group }) => (group === undefined ? null : headsText(group)));
  return `group of the first ${first ?? 'none'}, of the second ${second ?? 'none'}\n`;
}

function scanText(compared: ComparedScores): string {
  const { top, spearman, kendall, rankBiasedOverlap } = compared;
  const { k, both, firstOnly, secondOnly, expected, pValue, jaccard } = top;
  const rows = compared.layers.map(({ layer, firstTop, secondTop, shared, spearman: rho }) => ({
    ...{ layer, 'first top': firstTop, 'second top': secondTop, shared },
    correlation: formatShare(rho, 2),
  }));
  return (
    `${both.length} of the best ${k} heads are the same (by chance ${formatNumber(expected)}, ` +
    `p = ${formatNumber(pValue)}; Jaccard ${formatShare(jaccard, 2)})\n` +
    `both         ${headsText(both)}\n` +
    `first alone  ${headsText(firstOnly)}\n` +
    `second alone ${headsText(secondOnly)}\n` +
    `ranks of all ${compared.headCount} heads: Spearman ${formatShare(spearman, 2)}, Kendall ` +
    `${formatShare(kendall, 2)}, rank-biased overlap ${formatShare(rankBiasedOverlap, 2)}\n` +
    table(rows)
  );
}

async function checkpoints(context: CliContext, input: CliInput): Promise<void> {
  const [first, second] = input.arguments as [string, string];
  const compared = await compareCheckpoints(first, second, {
    signal: context.signal,
    onProgress: (done, total) =>
      context.progress.update(`compare  ${done}/${total} weights`, done / total),
  });
  context.progress.done();
  const scores = input.options['scores'];
  const changed = { scores: compared.heads };
  const scan = typeof scores === 'string' ? loadScores(scoreFilePath(scores)) : null;
  const found =
    scan === null
      ? null
      : compareScores(changed, scan, { top: topOf(context, input, [changed, scan]) });
  save(input, { ...compared, scores: found });
  context.printJson({ run: null, status: 'success', metrics: null, ...compared, scores: found });
  context.print(checkpointText(compared, input.options['top'] as number));
  if (found === null) return;
  const { k, both, expected, pValue } = found.top;
  context.print(
    `${both.length} of ${formatCounted(k, 'head')} that changed most ` +
      `${both.length === 1 ? 'is' : 'are'} among the best ${k} of the scan ` +
      `(by chance ${formatNumber(expected)}, p = ${formatNumber(pValue)}): ${headsText(both)}\n`,
  );
}

function checkpointText(
  { change, parts, heads, ...counts }: ComparedCheckpoints,
  top: number,
): string {
  const names = [...new Set(parts.map(({ part }) => part))];
  const layers = [...new Set(parts.map(({ layer }) => layer))];
  const rows = layers.map((layer) => ({
    layer: layer === null ? 'outside' : String(layer),
    ...Object.fromEntries(
      names.map((name) => {
        const own = parts.find((one) => one.layer === layer && one.part === name);
        return [name, own === undefined ? '' : formatNumber(own.change)];
      }),
    ),
  }));
  const best = rankHeads(heads, top).filter(({ score }) => score > 0);
  return (
    `weights differ by ${formatPercent(change, 2)} of their norm; ` +
    `${counts.equalCount} of ${counts.weightCount} are the same\n` +
    `${table(rows)}heads that changed most: ${headsText(best) || 'none'}\n`
  );
}
