// node tools/check-quickstart.mjs [-- options of the quickstart]: runs it as a script would, and
// checks that standard output is one JSON object with the promised metrics, quality and time.
import { availableParallelism, loadavg } from 'node:os';
import { run } from './process.mjs';

/** What `npm run quickstart` promises on two idle cores. */
const promise = { hitsAt1: 0.7, seconds: 120 };
// Other work on the machine says nothing about us: then only a hang counts.
const isBusy = loadavg()[0] > availableParallelism() - 0.5;
const limitSeconds = promise.seconds * (isBusy ? 10 : 1.5);
const names = ['hits@1', 'hits@5', 'hits@10', 'hits@50', 'mrr', 'meanRank'];

/** What is wrong with the output, each one text. */
function problems({ code, stdout, stderr }, seconds) {
  if (code !== 0) return [`it ended with ${code}\n${stderr.slice(-2000)}`];
  let result;
  try {
    result = JSON.parse(stdout);
  } catch (error) {
    return [`standard output is not one JSON object: ${error.message}\n${stdout.slice(0, 500)}`];
  }
  const found = [];
  if (result.status !== 'success') found.push(`status is ${result.status}`);
  if (typeof result.run !== 'string') found.push('run is not the folder of the run');
  for (const direction of ['forward', 'backward']) {
    const metrics = result.metrics?.[direction] ?? {};
    for (const name of names) {
      if (typeof metrics[name] !== 'number') found.push(`metrics.${direction} lacks ${name}`);
    }
    if (!(metrics['hits@1'] >= promise.hitsAt1)) {
      found.push(`${direction} hits@1 is ${metrics['hits@1']}, promised ${promise.hitsAt1}`);
    }
    process.stdout.write(`${direction} ${JSON.stringify(metrics)}\n`);
  }
  if (seconds > limitSeconds) found.push(`it took ${seconds} s, promised ${promise.seconds}`);
  return found;
}

const start = performance.now();
const extra = process.argv.slice(2).filter((arg) => arg !== '--');
const result = await run('npm', ['run', '--silent', 'quickstart', '--', '--json', ...extra]);
const seconds = Math.round((performance.now() - start) / 1000);
const found = problems(result, seconds);
process.stdout.write(`quickstart: ${seconds} s${isBusy ? ', on a busy machine' : ''}\n`);
for (const problem of found) process.stdout.write(`${problem}\n`);
process.exitCode = found.length > 0 ? 1 : 0;
