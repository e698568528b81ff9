import { readFileSync } from 'node:fs';
import { ConfigError } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, runCli } from '@lab/core/cli';
import { compareRuns } from './compare.js';
import { comparisonSentence, resultTable, writeComparisonPage } from './compare-page.js';
import { readRunFolder } from './run-folder.js';
import { serveReports } from './serve.js';
import { textTable } from './table.js';

const compare: CliCommand = {
  name: 'compare',
  summary: 'Compares runs: differing settings, tested differences, curves; writes one page.',
  arguments: [{ name: 'runs', summary: 'run folders', required: true, variadic: true }],
  options: [
    { flags: '--out <file>', summary: 'page to write', default: 'comparison.html' },
    { flags: '--metrics <names>', kind: 'list', summary: 'results to compare, comma-separated' },
  ],
  example: 'report compare runs/* --out comparison.html',
  run: runCompare,
};

const serve: CliCommand = {
  name: 'serve',
  summary: 'Shows the runs of a folder in a browser, on this machine only.',
  arguments: [{ name: 'dir', summary: 'folder of run folders, for example runs', required: true }],
  options: [
    { flags: '--port <n>', kind: 'integer', summary: 'port on 127.0.0.1; 0 is any', default: 0 },
  ],
  example: 'report serve runs --port 8080',
  run: runServe,
};

async function runCompare(context: CliContext, input: CliInput): Promise<void> {
  const metrics = input.options.metrics as string[] | undefined;
  const runs = input.arguments.map((dir) => readRunFolder(dir));
  const comparison = compareRuns(runs, metrics === undefined ? {} : { metrics });
  const { path, bytes } = writeComparisonPage(String(input.options.out), comparison);
  const sentence = comparisonSentence(comparison);
  context.print(textTable(resultTable(comparison)).trimEnd());
  context.print(sentence);
  for (const warning of comparison.warnings) context.note(`warning: ${warning}`);
  context.note(`page: ${path}`);
  context.printJson({
    page: path,
    bytes,
    sentence,
    groups: comparison.groups.map(({ label, settings, testSet, runs: members }) => ({
      label,
      testSet,
      settings,
      runs: members.map(({ dir }) => dir),
    })),
    differences: comparison.differences,
    samples: comparison.samples,
    warnings: comparison.warnings,
  });
}

async function runServe(context: CliContext, input: CliInput): Promise<void> {
  const port = Number(input.options.port);
  if (!(port >= 0 && port <= 65_535)) {
    throw new ConfigError(`report/serve: port is ${port}, allowed are 0 to 65535.`);
  }
  const server = await serveReports({ dir: input.arguments[0]!, port });
  context.print(server.url);
  context.printJson({ url: server.url }, { immediately: true });
  context.note('Ctrl-C ends.');
  await new Promise<void>((done) => {
    if (context.signal.aborted) done();
    context.signal.addEventListener('abort', () => done(), { once: true });
  });
  await server.close();
}

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

void runCli({
  name: 'report',
  summary: 'Report pages from run folders: comparison and a local viewer.',
  version,
  commands: [compare, serve],
});
