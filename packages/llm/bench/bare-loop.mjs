// What a careful person writes instead: a loop over rows with so many requests at once, answers
// kept in memory. node packages/llm/bench/bare-loop.mjs undici|openai URL ROWS CONCURRENCY.
// Prints one JSON line. Nothing is retried, cached, checked or made durable.
import OpenAI from 'openai';
import { Agent, request } from 'undici';

const [kind, url, count, concurrency] = process.argv.slice(2);
const messages = (i) => [{ role: 'user', content: `Answer: What is ${i} plus ${(i * 7) % 13}?` }];
const sampling = { model: 'fake', temperature: 0, top_p: 1 };

const agent = new Agent({ connections: Number(concurrency), keepAliveTimeout: 60_000 });
const client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 });

async function askUndici(i) {
  const answer = await request(`${url}/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...sampling, messages: messages(i), max_tokens: 1024 }),
  });
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
  return (await answer.body.json()).choices[0].message.content;
}

async function askOpenai(i) {
  const answer = await client.chat.completions.create({
    ...sampling,
    messages: messages(i),
    max_tokens: 1024,
  });
  return answer.choices[0].message.content;
}

const ask = kind === 'undici' ? askUndici : askOpenai;
const answers = new Array(Number(count));
let next = 0;
async function work() {
  while (next < answers.length) {
    const i = next;
    next += 1;
    answers[i] = await ask(i);
  }
}
const start = performance.now();
await Promise.all(Array.from({ length: Number(concurrency) }, work));
const seconds = (performance.now() - start) / 1000;
if (answers.some((answer) => typeof answer !== 'string')) throw new Error('an answer is missing');
console.log(JSON.stringify({ seconds, rows: answers.length }));
process.exit(0);
