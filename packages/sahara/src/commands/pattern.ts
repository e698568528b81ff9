/** `pattern`: where a head looks before and after ablations, as figures 1, 7 and 8 have it. */
import { ConfigError, createRun } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { type HeadId, parseHead } from '../head.js';
import { patternFile, savePatterns } from '../pattern-file.js';
import { headPatterns, type PatternGrid, patternGrids, patternRequests } from '../patterns.js';
import { writeReport } from '../report/run-page.js';
import { withinRun } from '../run-folder.js';
import { version } from '../version.js';
import { openScoreInput, passedFlags, type ScoreInput, scoreFlags } from './score-input.js';

/** Prompts of a grid that has one row of patterns for each. */
const PROMPTS: Readonly<Record<PatternGrid, number>> = { 'before-after': 1, scaled: 1, mean: 3 };

/** The verb `pattern`. */
export const patternCommand: CliCommand = {
  name: 'pattern',
  summary: 'Draw where a head looks, intact and ablated.',
  options: [
    { flags: '--head <name>', summary: 'layer and head, such as 2-26' },
    {
      flags: '--grid <name>',
      summary: 'before and after; q, k and v scaled three ways; means on three prompts',
      choices: patternGrids,
      default: 'before-after',
    },
    ...scoreFlags.filter(({ flags }) => !/^--(ablation|site|eps|granularity)/.test(flags)),
    {
      flags: '-o, --out <dir>',
      summary: 'folder of the run',
      unit: 'default a new one below runs',
    },
  ],
  example:
    "sahara pattern --model example:organism --head 0-1 --prompt 'I want to polish the bell.'",
  run: async (context, input) => {
    headOf(input);
    const scoring = await openScoreInput(context, input);
    try {
      await draw(context, input, scoring);
    } finally {
      scoring.opened.model.dispose();
    }
  },
};

/** The head of the flag; before any work. */
function headOf({ options }: CliInput): HeadId {
  if (typeof options['head'] === 'string') return parseHead(options['head'], '--head');
  throw new ConfigError('--head NAME is missing.', {
    help: 'Write layer and head from 0: 2-26 is head 26 of layer 2.',
  });
}

async function draw(context: CliContext, input: CliInput, scoring: ScoreInput): Promise<void> {
  const { opened, data, prompts, resolved } = scoring;
  const { options } = input;
  const head = headOf(input);
  const grid = options['grid'] as PatternGrid;
  const own = prompts.slice(0, PROMPTS[grid]);
  const { layerCount, headCount } = opened.model.architecture;
  const run = createRun({
    ...{ parent: 'runs', dir: options['out'] as string | undefined, method: 'sahara' },
    ...{ label: 'pattern', seed: resolved.config.seed, backend: opened.backend },
    ...{ command: ['sahara', ...process.argv.slice(2)], passed: passedFlags(input) },
    config: { head: String(options['head']), grid, prompts: resolved.config.prompts },
    data: [data.file],
    packages: { '@lab/sahara': version },
    environment: {
      model: { path: opened.folder, ...opened.fingerprint, layerCount, headCount },
    },
  });
  context.setRun(run.dir);
  await withinRun(run, context.signal, async () => {
    const patterns = await headPatterns(opened.model, head, own, patternRequests(grid));
    savePatterns(run.path(patternFile), {
      ...{ schemaVersion: 1, kind: 'patterns', head, grid },
      model: { path: opened.folder, fingerprint: opened.fingerprint.model },
      patterns: patterns.map(({ name, prompt, pattern }) => ({
        ...{ name, prompt, pattern: pattern.map((row) => [...row]) },
      })),
    });
    return { patternCount: patterns.length };
  });
  const report = writeReport(run.dir);
  context.print(`${report}\n`);
  context.printJson({ run: run.dir, status: 'success', metrics: null, report });
}
