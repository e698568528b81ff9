/**
 * A run of LLMEval^2 by a scripted model without latency, for `whole-set.mjs`: five angles, both
 * orders, two layers. Prints its time and its peak of memory.
 *
 * `tsx whole-set.ts DATA OUT [i/k | all] [KILL]`: it kills itself when so many pairs are done.
 */
import { setImmediate } from 'node:timers/promises';
import { resolveConfig } from '@lab/core';
import { createScriptedClient, parseShard } from '@lab/llm';
import { evaluateJudgements, judgePairs, readJudgedSamples, readSamples } from '../src/index.js';
import { widedeepConfig } from '../src/config.js';

const [data = '', out = '', part = 'all', killAt = 'never'] = process.argv.slice(2);

/** About 180 tokens, as judges of the released runs wrote. */
const evidence =
  'Assistant 1 answers the question that was asked, and Assistant 2 leaves it open. '.repeat(9);
const roles = ['Accuracy', 'Relevance', 'Depth', 'Clarity', 'Usefulness'];

const named = roles.map((name) => `$${name}& what it says.`).join('\n');

const client = createScriptedClient({
  answer: ({ tag, messages }) => {
    // An answer of no latency still comes in a later turn of the event loop, as any answer does.
    if (tag === 'roles') return setImmediate(named);
    const { length } = messages.at(-1)?.content ?? '';
    const [first, second] = [1 + (length % 10), 1 + ((length * 7) % 10)];
    return `${evidence}\nScore of Assistant 1: ${first}\nScore of Assistant 2: ${second}`;
  },
});
const { config } = resolveConfig(widedeepConfig, {});
const samples = await readSamples({ data });
const start = performance.now();
const shard = part === 'all' ? undefined : parseShard(part);
const { counts } = await judgePairs({
  ...{ samples, config, client, out, shard, resume: true },
  onProgress: ({ done }) => {
    if (done >= Number(killAt)) process.kill(process.pid, 'SIGKILL');
  },
});
const seconds = (performance.now() - start) / 1000;
const { network } =
  shard === undefined ? evaluateJudgements(await readJudgedSamples(out)) : { network: null };
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(
  JSON.stringify({ rows: counts.finished, seconds, peakBytes, calls: network?.calls ?? null }),
);
