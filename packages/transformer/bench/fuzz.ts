// Changed files for every reader: node --conditions=@lab/source --import tsx
// packages/transformer/bench/fuzz.ts [CASES] [READER]. Two readers run at a time, each on a process
// with limits. A run that was stopped goes on; one of other code begins anew. Prints one JSON line
// and fails where a case does; `changedFile` of test/fuzz/cases.ts makes a case's file again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReaderName, readerNames } from '../test/fuzz/cases.js';
import { CaseRunner, type Counts, type Failure, noCounts } from '../test/fuzz/run-cases.js';
import { hasMemoryLimit, LIMIT_BYTES, LIMIT_MS } from '../test/fuzz/worker-process.js';

const { codePaths } = (await import(new URL('./long/fuzz.mjs', import.meta.url).href)) as {
  codePaths: readonly string[];
};
const STEP = 500;
const LANES = 2;

/** What was done so far of each reader. */
interface State {
  readonly code: string;
  readonly cases: number;
  readonly counts: Record<string, Counts>;
  readonly seconds: Record<string, number>;
  readonly failures: Failure[];
}

function digest(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    if (!path.includes('.')) for (const name of readdirSync(path)) add(join(path, name));
    else hash.update(path).update(readFileSync(path));
  };
  for (const path of codePaths) add(path);
  return hash.digest('hex').slice(0, 16);
}

const cases = Number(process.argv[2] ?? 100_000);
const chosen = process.argv[3] === undefined ? readerNames : [process.argv[3] as ReaderName];
const folder = join('runs', 'long');
const file = join(folder, `transformer-fuzz-${cases}.json`);
mkdirSync(folder, { recursive: true });
const code = digest();
const stored = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as State) : null;
const isOwn = stored?.code === code && stored.cases === cases;
const state: State = isOwn ? stored : { code, cases, counts: {}, seconds: {}, failures: [] };

const runners = Array.from({ length: LANES }, () => new CaseRunner());
const end = () => {
  for (const runner of runners) runner.end();
};
process.once('SIGTERM', () => {
  end();
  process.exit(143);
});

async function runReader(reader: ReaderName, runner: CaseRunner): Promise<void> {
  const counts = (state.counts[reader] ??= noCounts());
  const doneOf = () => counts.read + counts.refused + counts.failed;
  for (let from = doneOf(); from < cases; from = doneOf()) {
    const began = performance.now();
    // Counts of a step that was stopped are not kept.
    const own = noCounts();
    const to = Math.min(from + STEP, cases);
    const failures = await runner.run({ reader, from, to }, own);
    for (const name of Object.keys(own) as (keyof Counts)[]) counts[name] += own[name];
    state.failures.push(...failures);
    state.seconds[reader] = (state.seconds[reader] ?? 0) + (performance.now() - began) / 1000;
    writeFileSync(file, JSON.stringify(state));
    if (to % 5000 === 0) process.stderr.write(`${reader} ${to} of ${cases}\n`);
  }
}

const waiting = [...chosen];
await Promise.all(
  runners.map(async (runner) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await runReader(next, runner);
    }
  }),
);
end();
rmSync(file, { force: true });

const readers = chosen.map((reader) => {
  const counts = state.counts[reader]!;
  return [reader, { ...counts, perSecond: Math.round(cases / (state.seconds[reader] ?? 1)) }];
});
const result = {
  cases,
  readers: Object.fromEntries(readers) as Record<string, Counts & { perSecond: number }>,
  limits: {
    ms: LIMIT_MS,
    bytes: LIMIT_BYTES,
    memory: hasMemoryLimit ? 'enforced by the system' : 'measured after each case',
  },
  failures: state.failures.slice(0, 20),
};
console.log(JSON.stringify(result));
process.exitCode = state.failures.length > 0 ? 1 : 0;
