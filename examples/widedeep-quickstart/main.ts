// A network of judges and a single judge on 24 pairs of LLMBar, beside the verdicts of people.
// Offline a stand-in that counts words answers (see stand-in.ts); `--live URL --model NAME` asks a
// server.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { formatShare, resolveConfig } from '@lab/core';
import { createClient } from '@lab/llm';
import {
  dataFloors,
  evaluateJudgements,
  judgePairs,
  readJudgedSamples,
  readLlmbar,
  widedeepConfig,
  writeReport,
  writeSamplePage,
} from '@lab/widedeep-eval';
import { standIn } from './stand-in.js';

const { values } = parseArgs({
  options: {
    live: { type: 'string' },
    model: { type: 'string', default: 'default' },
    out: { type: 'string', default: mkdtempSync(join(tmpdir(), 'widedeep-')) },
  },
});
const { live, model, out } = values;
const apiKey = process.env['LAB_API_KEY'];
const client = live === undefined ? standIn : createClient({ baseUrl: live, model, apiKey });
const samples = await readLlmbar(fileURLToPath(new URL('llmbar-natural-24.json', import.meta.url)));

/** Judges all pairs with a network, and evaluates it. */
async function judged(preset: string) {
  const dir = join(out, preset);
  const { config } = resolveConfig(widedeepConfig, { preset });
  const facts = { preset, label: `${client.model}, ${preset}` };
  await judgePairs({ samples, client, config, out: dir, facts, resume: true });
  const found = await readJudgedSamples(dir);
  const evaluation = evaluateJudgements(found, { resamples: 1000 });
  const page = await writeReport(dir, { samples: found, evaluation }, samples);
  const { accuracy, kappa } = evaluation.agreement!.overall;
  console.error(`${preset.padEnd(9)} kappa ${formatShare(kappa.value)}  ${page}`);
  return { dir, accuracy: accuracy.value, kappa: kappa.value, calls: evaluation.network.calls };
}

const single = await judged('single');
const { dir, ...widedeep } = await judged('widedeep');
await client.close();
const page = await writeSamplePage(dir, samples[1]!.id, samples);
console.error(`one pair in detail: ${page}`);
const longer = dataFloors(samples).find(({ name }) => name === 'longer in characters');
const { accuracy, kappa, calls } = single;
const result = { single: { accuracy, kappa, calls }, widedeep, longer: longer?.accuracy };
console.log(JSON.stringify({ model: client.model, pairs: samples.length, ...result }));
