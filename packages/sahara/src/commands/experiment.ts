/** `experiment`: what is known of the example models, found or not. */
import { join } from 'node:path';
import { formatPercent, makeFolder, writeFileAtomic } from '@lab/core';
import type { CliCommand, CliContext, CliInput } from '@lab/core/cli';
import { markdownTable, textTable, writeRunPage } from '@lab/report';
import { chosenBackend, modelFlags } from '@lab/transformer/commands';
import { evidencePage, organismTable, plantedTable } from '../experiments/evidence-page.js';
import { studyOrganism } from '../experiments/organism.js';
import { headKey } from '../head.js';
import { plantedModels, type PlantedResult, studyPlanted } from '../experiments/planted-models.js';

/** The verb `experiment`. */
export const experimentCommand: CliCommand = {
  name: 'experiment',
  summary: 'Try the method on models whose refusal heads are known, and on a trained one.',
  options: [
    { flags: '-o, --out <dir>', summary: 'folder of tables and page', default: 'runs/experiment' },
    { flags: '--draws <n>', summary: 'random groups of heads', kind: 'integer', default: 20 },
    { flags: '--seed <n>', summary: 'of all draws', kind: 'integer', default: 1 },
    ...modelFlags.filter(({ flags }) => /^--(backend|threads)/.test(flags)),
  ],
  example: 'sahara experiment --out runs/experiment',
  run: (context, input) => experiment(context, input),
};

async function experiment(context: CliContext, input: CliInput): Promise<void> {
  const { options } = input;
  const [out, draws, seed] = [
    String(options['out']),
    Number(options['draws']),
    Number(options['seed']),
  ];
  await chosenBackend(context, input);
  makeFolder(out);
  const { signal } = context;
  const planted: PlantedResult[] = [];
  for (const [at, name] of plantedModels.entries()) {
    context.progress.update(`planted  ${name}`, at / plantedModels.length);
    planted.push(await studyPlanted(name, { seed, signal }));
  }
  const organism = await studyOrganism({
    ...{ draws, seed, signal },
    onProgress: ({ arm, done, total }) =>
      context.progress.update(`organism  ${arm}  ${done}/${total}`, done / total),
  });
  context.progress.done();
  const command = ['sahara', ...process.argv.slice(2)].join(' ');
  const page = join(out, 'report.html');
  const tables = { planted: plantedTable(planted), organism: organismTable(organism) };
  for (const [name, value] of Object.entries({ planted, organism })) {
    writeFileAtomic(join(out, `${name}.json`), `${JSON.stringify(value, null, 1)}\n`);
  }
  for (const [name, own] of Object.entries(tables)) {
    writeFileAtomic(join(out, `${name}.md`), `${markdownTable(own)}\n`);
  }
  writeRunPage(page, evidencePage(planted, organism, command));
  context.print(`${textTable(tables.planted)}\n`);
  for (const { name, heads, success } of organism.groups) {
    context.print(
      `organism without ${heads.map(headKey).join(', ')} (${name}): answers ` +
        `${formatPercent(success.rate.share)} of what it refused, ` +
        `${formatPercent(organism.randomInterval.mean)} without random heads\n`,
    );
  }
  context.print(`picture: ${page}\n`);
  context.printJson({
    run: out,
    status: 'success',
    metrics: null,
    planted,
    organism,
    report: page,
  });
}
