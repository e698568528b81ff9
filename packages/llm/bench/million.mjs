// Memory of 1,000,000 rows beside that of 200,000, and kill -9 and resume at that size:
// node packages/llm/bench/million.mjs [ROWS]. Gate: the peak of the large run is at most 1.2 times
// that of a run of a fifth, and a run that was killed twice ends with the same bytes. Prints one
// JSON line.
import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measured } from './measured-process.mjs';

const rows = Number(process.argv[2] ?? 1_000_000);
const script = [
  '--conditions=@lab/source',
  '--import',
  'tsx',
  'packages/llm/bench/million-rows.ts',
];
const folder = (name) => join('runs', 'long', `llm-million-${name}`);

/** A run; killed as soon as so many rows are done. */
async function run(name, count, killAt) {
  const result = await measured([...script, `${count}`, folder(name)], {
    onStart: (child) => {
      child.stderr.on('data', (text) => {
        const done = Number(/rows (\d+)/.exec(text)?.[1] ?? 0);
        if (killAt !== undefined && done >= killAt) child.kill('SIGKILL');
      });
    },
  });
  if (killAt !== undefined) {
    if (result.signal !== 'SIGKILL') throw new Error(`not killed: ${result.stderr.slice(-500)}`);
    return null;
  }
  if (result.code !== 0)
    throw new Error(`ended with ${result.code}: ${result.stderr.slice(-2000)}`);
  return { ...JSON.parse(result.stdout), cpuSeconds: result.cpuSeconds };
}

async function digest(name) {
  const hash = createHash('sha256');
  for await (const part of createReadStream(join(folder(name), 'predictions.jsonl'))) {
    hash.update(part);
  }
  return hash.digest('hex');
}

for (const name of ['fifth', 'whole', 'killed']) {
  rmSync(folder(name), { recursive: true, force: true });
}
const fifth = await run('fifth', rows / 5);
const whole = await run('whole', rows);
await run('killed', rows, rows * 0.3);
await run('killed', rows, rows * 0.7);
const resumed = await run('killed', rows);
const isSame = (await digest('killed')) === (await digest('whole'));
const ratio = whole.peakBytes / fifth.peakBytes;
const resumedRatio = resumed.peakBytes / fifth.peakBytes;
for (const name of ['fifth', 'whole', 'killed']) rmSync(folder(name), { recursive: true });
console.log(JSON.stringify({ rows, fifth, whole, resumed, ratio, resumedRatio, isSame }));
if (!isSame || ratio > 1.2) process.exitCode = 1;
