// The same rows through promptfoo, for the throughput beside ours.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measured } from './measured-process.mjs';

/**
 * One `promptfoo eval` of a file of rows, without its cache; resolves to seconds and cost.
 *
 * @param promptfoo - as `promptfooProgram` gives it.
 */
export async function promptfooEval(promptfoo, { dir, data, url, concurrency }) {
  mkdirSync(dir, { recursive: true });
  const [config, out] = [join(dir, 'promptfooconfig.json'), join(dir, 'out.json')];
  const rows = readFileSync(data, 'utf8').trim().split('\n');
  const setting = { apiBaseUrl: url, apiKey: 'none', temperature: 0, top_p: 1, max_tokens: 1024 };
  writeFileSync(
    config,
    JSON.stringify({
      prompts: ['Answer: {{text}}'],
      providers: [{ id: 'openai:chat:fake', config: setting }],
      tests: rows.map((line) => ({ vars: JSON.parse(line) })),
    }),
  );
  const flags = ['--no-cache', '--no-progress-bar', '--no-table', '-j', `${concurrency}`];
  const result = await measured([...promptfoo.args, 'eval', '-c', config, '-o', out, ...flags], {
    program: promptfoo.program,
    env: promptfoo.env,
  });
  // 100 is its code for tests that fail; here nothing is tested.
  if (result.code !== 0) throw new Error(`promptfoo ended with ${result.code}: ${result.stderr}`);
  const { results } = JSON.parse(readFileSync(out, 'utf8'));
  const answered = results.results.filter(({ response }) => response?.output).length;
  if (answered !== rows.length) throw new Error(`promptfoo: ${answered} of ${rows.length} rows`);
  return { ...result, seconds: (results.stats.durationMs ?? result.wallSeconds * 1000) / 1000 };
}
