// Ten questions, answers as data, and what share of them is right. Offline the answers come from
// the
// folder `recording`; `--live URL --model NAME` asks a server, `--record DIR` keeps what it says.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import {
  createClient,
  createReplayClient,
  createStructuredRates,
  type LlmClient,
  LlmFailure,
  recordingClient,
} from '@lab/llm';
import { z } from 'zod';

const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { values } = parseArgs({
  options: {
    live: { type: 'string' },
    model: { type: 'string', default: 'default' },
    record: { type: 'string' },
  },
});

async function openClient(): Promise<LlmClient> {
  if (values.live === undefined) return createReplayClient(at('recording'));
  const apiKey = process.env['LAB_API_KEY'];
  const live = createClient({ baseUrl: values.live, model: values.model, apiKey });
  if (values.record === undefined) return live;
  return recordingClient(live, values.record, apiKey === undefined ? {} : { secrets: [apiKey] });
}

// The reason comes first: what is written before an answer can still change it.
const schema = z.object({ reason: z.string(), answer: z.string() });
const system =
  'Answer the question. Give a short reason, then the answer in as few words as can be.';

interface Question {
  id: string;
  question: string;
  answer: string;
}

const client = await openClient();
const rates = createStructuredRates();
const lines = readFileSync(at('questions.jsonl'), 'utf8').trim().split('\n');

async function isRight({ id, question, answer }: Question): Promise<boolean> {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: question },
  ] as const;
  try {
    const { json, origin } = await client.json({ messages, maxTokens: 512 }, schema);
    rates.record(client.model, origin);
    const right = json.answer.toLowerCase().includes(answer.toLowerCase());
    console.error(`${right ? 'right' : 'WRONG'}  ${id}: ${json.answer}`);
    return right;
  } catch (error) {
    if (!(error instanceof LlmFailure) || error.kind !== 'parse') throw error;
    rates.record(client.model, 'failed');
    console.error(`WRONG  ${id}: no JSON`);
    return false;
  }
}

const marks = await Promise.all(lines.map((line) => isRight(JSON.parse(line) as Question)));
await client.close();
const right = marks.filter(Boolean).length;
const json = rates.shares().get(client.model);
console.log(JSON.stringify({ model: client.model, questions: marks.length, right, json }));
