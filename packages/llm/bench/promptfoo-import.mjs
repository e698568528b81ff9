// Whether promptfoo itself takes what `llm export --format promptfoo` writes:
// node packages/llm/bench/promptfoo-import.mjs [ROWS]. A run against the misbehaving server, with
// refusals, cut answers and failed rows, is exported, imported by `promptfoo import`, and exported
// again by `promptfoo export eval`. Gate: every row comes back with its output, its outcome, its
// variables and its score, and the counts agree. Prints one JSON line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromSources, measured, startServer } from './measured-process.mjs';
import { promptfooProgram } from './promptfoo-program.mjs';

const rows = Number(process.argv[2] ?? 500);
const dir = mkdtempSync(join(tmpdir(), 'lab-promptfoo-import-'));
const path = (name) => join(dir, name);

/** A program that must end well. */
async function run(args, options) {
  const result = await measured(args, options);
  const isExpected = (options?.codes ?? [0]).includes(result.code);
  if (!isExpected) throw new Error(`${args.at(-1)}: code ${result.code}: ${result.stderr}`);
  return result;
}

function writeFiles() {
  const row = (_, i) => {
    const text = `number ${i}. <b>"quotes", 'commas' & = ümlaut 😀</b>\nA line {{no slot}}`;
    return JSON.stringify({ id: `row ${i}`, text, expected: i % 3, empty: null, list: [i, 'x'] });
  };
  writeFileSync(path('rows.jsonl'), `${Array.from({ length: rows }, row).join('\n')}\n`);
  writeFileSync(path('prompt.md'), 'Say whether {{text}} is right.\n');
  const schema = {
    type: 'object',
    properties: { reason: { type: 'string' }, isRight: { type: 'boolean' } },
    required: ['reason', 'isRight'],
  };
  writeFileSync(path('schema.json'), JSON.stringify(schema));
  const rules = [
    { do: 'status', status: 400, when: { contains: 'number 7.' } },
    { do: 'refusal', when: { share: 0.05 } },
    { do: 'length', keepShare: 0.4, when: { share: 0.05 } },
  ];
  writeFileSync(path('script.json'), JSON.stringify({ model: 'fake', rules }));
}

/** What must be the same on both sides of promptfoo, by id. */
const byId = ({ results }) =>
  new Map(
    results.results.map((row) => {
      const { vars, success, score, failureReason, response, error, namedScores } = row;
      const output = response?.output ?? '';
      const same = { vars, success, score, failureReason, output, error, namedScores };
      return [row.vars.id, JSON.stringify(same, Object.keys(same).sort().concat(keysIn(same)))];
    }),
  );

/** All keys of plain data, so that the order of keys makes no difference. */
function keysIn(value) {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}

async function check(promptfoo) {
  writeFiles();
  const server = await startServer(0, ['--script', path('script.json')]);
  try {
    const files = ['--data', path('rows.jsonl'), '--prompt', path('prompt.md')];
    const asked = ['--schema', path('schema.json'), '--base-url', server.url, '--model', 'fake'];
    const more = ['--out', path('run'), '--cache', 'off', '--max-errors', '50%', '--quiet'];
    await run([...fromSources, 'run', ...files, ...asked, ...more]);
  } finally {
    await server.stop();
  }
  const form = ['--format', 'promptfoo', '--score', 'isRight', '--out', path('ours.json')];
  await run([...fromSources, 'export', path('run'), ...form]);
  const start = { program: promptfoo.program, env: promptfoo.env };
  await run([...promptfoo.args, 'import', path('ours.json')], start);
  const ours = JSON.parse(readFileSync(path('ours.json'), 'utf8'));
  const out = ['-o', path('theirs.json')];
  await run([...promptfoo.args, 'export', 'eval', ours.evalId, ...out], start);
  const shown = await run([...promptfoo.args, 'show', 'eval', ours.evalId], start);
  const theirs = JSON.parse(readFileSync(path('theirs.json'), 'utf8'));
  const [expected, found] = [byId(ours), byId(theirs)];
  const differing = [...expected].filter(([id, row]) => found.get(id) !== row);
  const countsOf = ({ results }) => {
    const { successes, failures, errors } = results.stats;
    return { successes, failures, errors };
  };
  const tokensOf = ({ results }) => results.prompts[0].metrics.tokenUsage.total;
  return {
    ...{ version: promptfoo.version, rows, expected: expected.size, found: found.size },
    ...{ differing: differing.length, ours: countsOf(ours), theirs: countsOf(theirs) },
    tokens: [tokensOf(ours), tokensOf(theirs)],
    first: differing.slice(0, 1).map(([id, row]) => [row, found.get(id) ?? null]),
    isShown: shown.stdout.includes(ours.evalId) || shown.stdout.includes('fake'),
  };
}

const promptfoo = await promptfooProgram(path('config'));
try {
  if (typeof promptfoo === 'string') throw new Error(`promptfoo cannot be had: ${promptfoo}`);
  const result = await check(promptfoo);
  console.log(JSON.stringify(result));
  const { ours, theirs, differing, found, tokens, isShown } = result;
  const isSame = JSON.stringify(ours) === JSON.stringify(theirs) && tokens[0] === tokens[1];
  if (!isSame || differing > 0 || found !== rows || !isShown) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true });
}
