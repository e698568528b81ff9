// npm test [-- --tier unit|backends|e2e] [--counts FILE]: installs, runs every test and ends with
// one line, `N passed, N failed[, N skipped]`. With LAB_REQUIRE=chromium,clang,... a test that is
// skipped for want of one of these programs counts as failed, as does any skip that names no
// reason. The tests of the tier e2e run the commands as built, after a build.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPackages } from './builds.mjs';
import { ensureInstalled } from './install.mjs';
import { run } from './process.mjs';
import { addCounts, countsLine, countTests, noCounts } from './test-counts.mjs';
import { root } from './workspace.mjs';

const { values: options } = parseArgs({
  options: {
    tier: { type: 'string' },
    counts: { type: 'string' },
    only: { type: 'string' },
  },
});

/** The projects of each tier: those of one package, or those of tools/vitest-all.mjs. */
const tiers = options.only
  ? {
      unit: [`unit:${options.only}`, `golden:${options.only}`, 'tools'],
      backends: [`backends:${options.only}`],
      e2e: [`e2e:${options.only}`],
    }
  : {
      unit: ['unit', 'unit:*', 'golden:*', 'types', 'tools'],
      backends: ['backends:*'],
      e2e: ['e2e:*'],
    };
const config = options.only ? [] : ['--config', join(root, 'tools', 'vitest-all.mjs')];
/** Tests of commands also wait: for servers, browsers, and processes that are to be killed. */
const workers = { e2e: ['--maxWorkers', String(availableParallelism() + 1)] };

/** Runs one tier in one Vitest process and returns what its JSON report counts. */
async function runTier(tier, folder) {
  const report = join(folder, `${tier}.json`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const projects = tiers[tier].flatMap((name) => ['--project', name]);
  const required = (process.env.LAB_REQUIRE ?? '').split(',').filter(Boolean);
  try {
    // A start from sources takes a second more than that of a build, and there are hundreds.
    if (tier === 'e2e') await buildPackages(options.only ? [options.only] : []);
    const { code } = await run(
      process.execPath,
      [vitest, 'run', '--passWithNoTests', '--reporter=default', '--reporter=json'].concat(
        ['--outputFile.json', report],
        config,
        workers[tier] ?? [],
        projects,
      ),
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        ...(tier === 'e2e' ? { env: { LAB_BUILT: '1' } } : {}),
      },
    );
    const counts = countTests(JSON.parse(readFileSync(report, 'utf8')), required);
    // Vitest also fails for what no test reports, such as an unhandled rejection.
    return code !== 0 && counts.failed === 0
      ? addCounts(counts, { ...noCounts, failed: 1 })
      : counts;
  } catch (error) {
    process.stderr.write(`tests of tier ${tier} left no report: ${error.message}\n`);
    return { ...noCounts, failed: 1 };
  }
}

/** Checks beside Vitest that are cheap enough for every run; each prints its own counts or none. */
const otherChecks = options.only
  ? []
  : [
      ['generated documents', ['readme-tables.mjs', '--check']],
      ['documentation examples', ['doc-examples.mjs']],
    ];

/** Runs one check beside Vitest: its own counts where it prints them, else one passed or failed. */
async function runCheck([name, [script, ...args]]) {
  const { code, stdout, stderr } = await run(process.execPath, [
    join(root, 'tools', script),
    ...args,
  ]);
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}\n`);
  if (code !== 0) process.stdout.write(`${stdout}${stderr}`);
  const own = /^(\d+) passed, (\d+) failed$/m.exec(stdout);
  if (own) return { ...noCounts, passed: Number(own[1]), failed: Number(own[2]) };
  return { ...noCounts, [code === 0 ? 'passed' : 'failed']: 1 };
}

await ensureInstalled();
const folder = mkdtempSync(join(tmpdir(), 'lab-test-'));
let counts = noCounts;
for (const tier of options.tier ? [options.tier] : Object.keys(tiers)) {
  counts = addCounts(counts, await runTier(tier, folder));
}
rmSync(folder, { recursive: true });
for (const check of options.tier ? [] : otherChecks) {
  counts = addCounts(counts, await runCheck(check));
}
for (const text of counts.remarks) process.stdout.write(`${text}\n`);
if (options.counts) writeFileSync(options.counts, JSON.stringify(counts));
process.stdout.write(`${countsLine(counts)}\n`);
process.exitCode = counts.failed > 0 ? 1 : 0;
