// A whole run of LLMEval^2 (2,553 pairs, both orders, two layers, some 54,000 calls) by a scripted
// model without latency: time, memory, kill -9 and resume, three shards. Gates: 60 s, 400 MB, and
// the same bytes each way. LAB_DATA names the folder of data. Prints one JSON line.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const data = join(process.env.LAB_DATA ?? '', 'llmeval2', 'LLMEval2_benchmark.jsonl.gz');
const sources = ['--conditions=@lab/source', '--import', 'tsx'];
const script = (name) => join('packages', 'widedeep-eval', 'bench', name);
const folder = (name) => join('runs', 'long', `widedeep-whole-set-${name}`);

/** Ends a process of Node. */
function node(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...sources, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] = (output[name] + text).slice(-4000);
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

async function run(name, more = []) {
  const { code, stdout, stderr } = await node([
    script('whole-set.ts'),
    data,
    folder(name),
    ...more,
  ]);
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const digest = (name) =>
  createHash('sha256')
    .update(readFileSync(join(folder(name), 'predictions.jsonl')))
    .digest('hex');

const names = ['whole', 'killed', 'shards', 'merged'];
for (const name of names) rmSync(folder(name), { recursive: true, force: true });
const whole = await run('whole');
const killed = [script('whole-set.ts'), data, folder('killed'), 'all'];
for (const killAt of [700, 1900]) {
  const { signal, stderr } = await node([...killed, `${killAt}`]);
  if (signal !== 'SIGKILL') throw new Error(`not killed: ${stderr}`);
}
await run('killed');
for (const index of [0, 1, 2]) await run('shards', [`${index}/3`]);
const merged = await node([script('merge-shards.ts'), data, folder('shards'), folder('merged')]);
if (merged.code !== 0) throw new Error(`merge ended with ${merged.code}: ${merged.stderr}`);
const isResumedSame = digest('killed') === digest('whole');
const isMergedSame = digest('merged') === digest('whole');
const gate = { seconds: 60, peakBytes: 400e6 };
const isWithin = whole.seconds <= gate.seconds && whole.peakBytes <= gate.peakBytes;
for (const name of names) rmSync(folder(name), { recursive: true });
console.log(JSON.stringify({ ...whole, gate, isWithin, isResumedSame, isMergedSame }));
if (!(isWithin && isResumedSame && isMergedSame)) process.exitCode = 1;
