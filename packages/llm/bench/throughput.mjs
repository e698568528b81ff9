// Rows a second of `llm run` beside bare loops over undici and openai, and beside promptfoo, in the
// same minutes: node packages/llm/bench/throughput.mjs [ROWS] [REPEATS]. promptfoo gets 500 rows at
// most, once; where it cannot be installed it is skipped by name. The server is a process of its
// own. Rows of `llm run` are durable, cached and checked; those of the loops are kept in memory.
// Gate: 2,000 rows/s at concurrency 64 without latency; goal: half of bare undici. At 50 ms latency
// at least 95 % of concurrency/latency at 1 and 64, and at 512 90 % of the rate without latency.
// Prints one JSON line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { asBuilt, buildProgram, measured, median, startServer } from './measured-process.mjs';
import { promptfooEval } from './promptfoo-eval.mjs';
import { promptfooProgram } from './promptfoo-program.mjs';

const [rows = 10_000, repeats = 3] = process.argv.slice(2).map(Number);
const dir = mkdtempSync(join(tmpdir(), 'lab-throughput-'));
const prompt = join(dir, 'prompt.md');
writeFileSync(prompt, 'Answer: {{text}}\n');

function dataOf(count) {
  const path = join(dir, `rows-${count}.jsonl`);
  const row = (_, i) =>
    JSON.stringify({ id: `row-${i}`, text: `What is ${i} plus ${(i * 7) % 13}?` });
  writeFileSync(path, `${Array.from({ length: count }, row).join('\n')}\n`);
  return path;
}

let runs = 0;
/** One `llm run`, with a cache of its own. */
async function llm(url, count, concurrency) {
  runs += 1;
  const args = ['run', '--data', dataOf(count), '--prompt', prompt, '--base-url', url];
  const out = join(dir, `run-${runs}`);
  const result = await measured([
    ...[...asBuilt, ...args, '--model', 'fake', '--concurrency', `${concurrency}`],
    ...['--out', out, '--cache-dir', join(dir, `cache-${runs}`), '--json', '--quiet'],
  ]);
  if (result.code !== 0) throw new Error(`llm run ended with ${result.code}: ${result.stderr}`);
  const { seconds, results } = JSON.parse(result.stdout);
  if (results.finished !== count) throw new Error(`${results.finished} of ${count} rows`);
  return numbersOf(result, seconds, count);
}

async function bare(kind, url, count, concurrency) {
  const script = 'packages/llm/bench/bare-loop.mjs';
  const result = await measured([script, kind, url, `${count}`, `${concurrency}`]);
  if (result.code !== 0) throw new Error(`${kind} ended with ${result.code}: ${result.stderr}`);
  return numbersOf(result, JSON.parse(result.stdout).seconds, count);
}

const numbersOf = ({ cpuSeconds, peakBytes, wallSeconds }, seconds, count) => ({
  rowsPerSecond: count / seconds,
  ...{ cpuSeconds, peakBytes, wallSeconds },
});

/** Middle values of several runs. */
function middle(list) {
  const of = (name) => Number(median(list.map((entry) => entry[name])).toPrecision(4));
  return {
    rowsPerSecond: of('rowsPerSecond'),
    cpuSeconds: of('cpuSeconds'),
    peakBytes: of('peakBytes'),
    wallSeconds: of('wallSeconds'),
  };
}

/** promptfoo and `llm run` over the same rows, one after the other. */
async function besidePromptfoo(url) {
  const promptfoo = await promptfooProgram(join(dir, 'promptfoo-config'));
  if (typeof promptfoo === 'string') {
    process.stderr.write(`skipped: promptfoo (${promptfoo})\n`);
    return { skipped: promptfoo };
  }
  const count = Math.min(rows, 500);
  const data = dataOf(count);
  const result = await promptfooEval(promptfoo, {
    dir: join(dir, 'promptfoo'),
    data,
    url,
    concurrency: 64,
  });
  return {
    version: promptfoo.version,
    rows: count,
    promptfoo: middle([numbersOf(result, result.seconds, count)]),
    llm: middle([await llm(url, count, 64)]),
  };
}

buildProgram();
const loadBefore = loadavg()[0];
const results = { llm: [], undici: [], openai: [], wide: [] };
/** With an answer after 50 ms, by requests at once; of the bare loop, what is possible here. */
const late = {
  1: { llm: [], undici: [] },
  64: { llm: [], undici: [] },
  512: { llm: [], undici: [] },
};
const [quick, slow] = await Promise.all([
  startServer(0, [], asBuilt),
  startServer(50, [], asBuilt),
]);
for (let repeat = 0; repeat < repeats; repeat += 1) {
  // By turns, so that what else the machine does meets all alike.
  results.undici.push(await bare('undici', quick.url, rows, 64));
  results.llm.push(await llm(quick.url, rows, 64));
  results.openai.push(await bare('openai', quick.url, rows, 64));
  for (const [concurrency, count] of [
    [1, 200],
    [64, rows],
    [512, rows],
  ]) {
    if (concurrency === 512) results.wide.push(await llm(quick.url, count, concurrency));
    late[concurrency].llm.push(await llm(slow.url, count, concurrency));
    late[concurrency].undici.push(await bare('undici', slow.url, count, concurrency));
  }
}
await slow.stop();
const promptfoo = await besidePromptfoo(quick.url);
await quick.stop();
rmSync(dir, { recursive: true });

const rateAt = (concurrency, name) => middle(late[concurrency][name]).rowsPerSecond;
const ratesOf = (name) =>
  Object.fromEntries(
    Object.keys(late).map((concurrency) => [concurrency, rateAt(concurrency, name)]),
  );
const [at50, undiciAt50] = [ratesOf('llm'), ratesOf('undici')];
const { wide, ...narrow } = results;
const zero = Object.fromEntries(Object.entries(narrow).map(([name, list]) => [name, middle(list)]));
const shares = {
  ofUndici: zero.llm.rowsPerSecond / zero.undici.rowsPerSecond,
  ofOpenai: zero.llm.rowsPerSecond / zero.openai.rowsPerSecond,
  ofUndiciAt50ms: Object.fromEntries(
    Object.entries(at50).map(([concurrency, rate]) => [
      concurrency,
      rate / undiciAt50[concurrency],
    ]),
  ),
  at50ms: {
    1: at50[1] / 20,
    64: at50[64] / (64 * 20),
    // Of the rate of the same concurrency without latency.
    512: at50[512] / middle(wide).rowsPerSecond,
  },
};
const gates = {
  rate: zero.llm.rowsPerSecond >= 2000,
  one: shares.at50ms[1] >= 0.95,
  many: shares.at50ms[64] >= 0.95,
  wide: shares.at50ms[512] >= 0.9,
};
const goals = { halfOfUndici: shares.ofUndici >= 0.5 };
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  node: process.version,
  load: [loadBefore, loadavg()[0]],
};
const wideRate = middle(wide).rowsPerSecond;
console.log(
  JSON.stringify({
    ...{ rows, zero, wideRate, at50, undiciAt50, promptfoo },
    ...{ shares, gates, goals, machine },
  }),
);
if (!Object.values(gates).every(Boolean)) process.exitCode = 1;
