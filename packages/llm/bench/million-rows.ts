// A run of SYNTHETIC rows over a scripted client, for memory: node --conditions=@lab/source
// --import tsx packages/llm/bench/million-rows.ts ROWS OUT. Goes on with a run that was stopped.
// Prints one JSON line: resident memory when a fifth of the rows were done and at the end, and the
// peak.
import { createScriptedClient } from '../src/scripted.js';
import { runRows } from '../src/rows/run-rows.js';

const [count = 1_000_000, out = 'runs/long/llm-million'] = [
  Number(process.argv[2] ?? 1_000_000),
  process.argv[3],
];
const client = createScriptedClient({
  answer: ({ messages }) => `the answer to ${messages[0]?.content ?? ''}, in a few words`,
});

async function* rows() {
  for (let i = 0; i < count; i += 1) yield { id: `synthetic-row-${i}`, text: `question ${i}` };
}

const requestOf = (text: string) => ({ messages: [{ role: 'user' as const, content: text }] });
let [atFifth, most] = [0, 0];
let next = 0;
const result = await runRows({
  rows: rows(),
  total: count,
  step: async ({ text }, context) => {
    // Like a server: answers come in later turns of the event loop, and not in order.
    await new Promise((resolve) => setImmediate(resolve));
    return (await context.client.chat(requestOf(text))).text;
  },
  hashOf: ({ text }) => client.hashOf(requestOf(text)),
  client,
  out,
  resume: true,
  concurrency: 128,
  description: { method: 'llm', label: 'scripted', config: { model: 'scripted' } },
  onProgress: ({ done }) => {
    if (done < next) return;
    next = done + 2000;
    const { rss } = process.memoryUsage();
    most = Math.max(most, rss);
    if (done <= 200_000) atFifth = rss;
    if (done % 10_000 < 2000) process.stderr.write(`rows ${done} rss ${rss}\n`);
  },
});
const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
console.log(
  JSON.stringify({
    ...{ rows: count, seconds: result.milliseconds / 1000, finished: result.counts.finished },
    ...{ skipped: result.counts.skipped, rss200k: atFifth, rssEnd: rss, rssSampled: most },
    ...{ heapUsed, external, arrayBuffers, peakBytes: process.resourceUsage().maxRSS * 1024 },
  }),
);
