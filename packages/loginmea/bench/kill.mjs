// Training and search of 100,000 SYNTHETIC entities a side, killed and gone on with:
// node packages/loginmea/bench/kill.mjs [ENTITIES]. bench/scale.ts is run once to its end, then
// again: killed with -9 after the first epoch's checkpoint and in the middle of the search. Metrics,
// predictions and pairs must have the same bytes. Prints one JSON line.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const entities = process.argv[2] ?? '100000';
const script = ['--conditions=@lab/source', '--import', 'tsx', 'packages/loginmea/bench/scale.ts'];
const args = [...script, entities, '3', '100'];
const run = join('runs', 'long', `loginmea-scale-${entities}-100`);
const undisturbed = `${run}-undisturbed`;

/** Runs the script; killed as soon as stderr has the text, where one is given. */
function start(killAt) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => {
      errors += text;
      if (killAt?.test(errors)) child.kill('SIGKILL');
    });
    child.on('close', (code, signal) => resolve({ code, signal, out, errors }));
  });
}

async function finished() {
  const { code, out, errors } = await start();
  if (code !== 0) throw new Error(`scale.ts ended with ${code}: ${errors.slice(-2000)}`);
  return JSON.parse(out.trim().split('\n').at(-1));
}

if (!existsSync(join(undisturbed, 'pairs.csv'))) {
  rmSync(run, { recursive: true, force: true });
  await finished();
  renameSync(run, undisturbed);
}
rmSync(run, { recursive: true, force: true });
const kills = [];
for (const killAt of [/epoch 2 /, /searched 16384/]) {
  const { signal, errors } = await start(killAt);
  if (signal !== 'SIGKILL') throw new Error(`not killed: ${errors.slice(-2000)}`);
  kills.push(errors.trim().split('\n').at(-1));
}
await finished();
const files = ['metrics.jsonl', 'predictions.jsonl', 'pairs.csv'];
const isSame = (name) =>
  readFileSync(join(run, name)).equals(readFileSync(join(undisturbed, name)));
const same = Object.fromEntries(files.map((name) => [name, isSame(name)]));
console.log(JSON.stringify({ entities: Number(entities), kills, same }));
if (!Object.values(same).every(Boolean)) process.exitCode = 1;
