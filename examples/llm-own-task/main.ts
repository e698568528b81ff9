// Your own rows, your own prompt and your own schema: support messages sorted by topic, as a run
// that
// can be stopped at any time and goes on where it was. `--live URL --model NAME` asks a server.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { hashFile, readJsonLines, sha256 } from '@lab/core';
import { createClient, readPrompt, readRows, runRows } from '@lab/llm';
import { z } from 'zod';
import { standIn } from './stand-in.js';

const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { values } = parseArgs({
  options: {
    live: { type: 'string' },
    model: { type: 'string', default: 'default' },
    out: { type: 'string', default: mkdtempSync(join(tmpdir(), 'tickets-')) },
    resume: { type: 'boolean', default: false },
  },
});
const apiKey = process.env['LAB_API_KEY'];
const { live, model, out, resume } = values;
const client = live === undefined ? standIn : createClient({ baseUrl: live, model, apiKey });

const schema = z.object({
  reason: z.string(),
  topic: z.enum(['bug', 'billing', 'wish', 'question', 'other']),
  urgency: z.int().min(1).max(3),
});
const prompt = readPrompt(at('prompt.md'));

const { counts, usage } = await runRows({
  client,
  rows: readRows(at('tickets.csv')),
  step: async (row, context) => {
    const messages = [{ role: 'user', content: prompt.fill(row) }] as const;
    const { json, origin } = await context.client.json({ messages, maxTokens: 256 }, schema);
    context.addFields({ origin });
    return json;
  },
  out,
  resume,
  description: {
    method: 'tickets',
    label: client.model,
    config: { model: client.model, prompt: sha256(prompt.text) },
    data: [await hashFile(at('tickets.csv'))],
  },
});
await client.close();

interface Line {
  readonly id: string;
  readonly output: z.output<typeof schema> | null;
}
const lines = readJsonLines(join(out, 'predictions.jsonl')).rows as Line[];
const answers = new Map(lines.map(({ id, output }) => [id, output]));
let right = 0;
const urgent: string[] = [];
for await (const { id, topic } of readRows(at('tickets.csv'))) {
  const answer = answers.get(id);
  if (answer?.topic === topic) right += 1;
  if (answer?.urgency === 3) urgent.push(id);
}
console.error(`predictions, run.json and timings are in ${out}`);
console.log(JSON.stringify({ rows: lines.length, right, urgent, counts, usage }));
