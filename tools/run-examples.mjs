// node tools/run-examples.mjs [--only NAME]: runs every example on the packages as built and
// compares the JSON object on the last line of its output with its expected.json; an example has 30
// seconds on an idle machine and is stopped after five minutes.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPackages } from './builds.mjs';
import { differences } from './expected.mjs';
import { fromBuilds, inParallel, run } from './process.mjs';
import { countsLine } from './test-counts.mjs';
import { members, readJson } from './workspace.mjs';

const limitMs = 300_000;
const { values: options } = parseArgs({ options: { only: { type: 'string' } } });

/** The failures of one example, each one line or more of text. */
async function check({ dir }) {
  const command = [...fromBuilds(), join(dir, 'main.ts')];
  const { code, stdout, stderr } = await run(process.execPath, command, {
    cwd: dir,
    timeout: limitMs,
  });
  if (code !== 0) return [`ended with ${code}\n${stderr.trim().split('\n').slice(-15).join('\n')}`];
  const line = stdout.trim().split('\n').at(-1) ?? '';
  try {
    return differences(JSON.parse(line), readJson(join(dir, 'expected.json')));
  } catch (error) {
    return [`its last line is no result (${error.message}): ${line.slice(0, 200)}`];
  }
}

const examples = members('examples').filter(
  ({ folder }) => !options.only || folder === options.only,
);
const counts = { passed: 0, failed: 0, skipped: 0 };
await buildPackages();
await inParallel(examples, async (example) => {
  const start = performance.now();
  const failures = await check(example);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  counts[failures.length > 0 ? 'failed' : 'passed'] += 1;
  process.stdout.write(
    `${failures.length > 0 ? 'FAILED' : 'ok    '} ${example.folder} ${seconds} s\n`,
  );
  for (const failure of failures) process.stdout.write(`  ${failure}\n`);
});
process.stdout.write(`${countsLine(counts)}\n`);
process.exitCode = counts.failed > 0 ? 1 : 0;
