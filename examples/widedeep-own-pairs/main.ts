// Your own pairs from a CSV file, under its own headings, with prompts of your own: which of two
// prompt versions answers customers better, and which pairs should somebody look at? Offline a
// stand-in answers (see stand-in.ts); `--live URL --model NAME` asks a server.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { resolveConfig } from '@lab/core';
import { createClient } from '@lab/llm';
import {
  byUncertainty,
  calibrateTau,
  evaluateJudgements,
  judgePairs,
  loadFamilies,
  planNetwork,
  readJudgedSamples,
  readOwnPairs,
  scoredSamples,
  widedeepConfig,
  writeReport,
} from '@lab/widedeep-eval';
import { standIn } from './stand-in.js';

const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { values } = parseArgs({
  options: {
    live: { type: 'string' },
    model: { type: 'string', default: 'default' },
    out: { type: 'string', default: join(mkdtempSync(join(tmpdir(), 'pairs-')), 'run') },
  },
});
const { live, model, out } = values;
const apiKey = process.env['LAB_API_KEY'];
const client = live === undefined ? standIn : createClient({ baseUrl: live, model, apiKey });

const samples = await readOwnPairs(at('replies.csv'), {
  fields: {
    ...{ id: 'ticket', question: 'customer', a: 'old prompt', b: 'new prompt' },
    gold: 'team says',
  },
  labels: { old: '1', new: '2', same: 'tie' },
  family: 'support',
});
const families = loadFamilies(at('families.yaml'));
const { config } = resolveConfig(widedeepConfig, { preset: 'cheap' });

const plan = await planNetwork({ samples, config, families, client });
console.error(`${plan.samples} pairs, at most ${plan.calls} calls`);
await judgePairs({
  samples,
  client,
  config,
  families,
  out,
  facts: { preset: 'cheap' },
  resume: true,
});
await client.close();

// The team's verdicts on the first half choose what is still a tie; the other half is evaluated.
const judged = await readJudgedSamples(out);
const [development, test] = [judged.slice(0, 6), judged.slice(6)];
const { tau } = calibrateTau(scoredSamples(development, 'all'));
const { agreement, network } = evaluateJudgements(test, {
  ...{ tau: { value: tau, scope: 'all' }, resamples: 1000 },
});
const evaluation = evaluateJudgements(judged, { resamples: 1000 });
console.error(`page: ${await writeReport(out, { samples: judged, evaluation }, samples)}`);
const look = byUncertainty(judged).slice(0, 3);
console.log(
  JSON.stringify({
    ...{ pairs: judged.length, calls: evaluation.network.calls, tau },
    ...{ accuracy: agreement!.overall.accuracy.value, evaluated: network.samples },
    ...{ withoutDiscussion: evaluation.network.stoppedEarly, lookAt: look.map(({ id }) => id) },
  }),
);
