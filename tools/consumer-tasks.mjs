// What a new user does with a package first, in a folder that holds its tarball and nothing else:
// the steps of its README, on files of an example, by `npx`. Each task throws where something is
// not as it should be.
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { runOrThrow } from './process.mjs';
import { root } from './workspace.mjs';

const example = (...path) => join(root, 'examples', ...path);
const linesOf = (...path) =>
  readFileSync(join(...path), 'utf8')
    .trim()
    .split(/\r?\n/);
const npxIn =
  (dir, name) =>
  (...args) =>
    runOrThrow('npx', ['--no-install', name, ...args], { cwd: dir });

function assertHolds(text, part, what) {
  if (!text.includes(part)) throw new Error(`${what} says nothing of "${part}": ${text}`);
}

/** `check` and `align` of two graphs of CSV: a heading, a row a pair, nine of ten pairs right. */
async function alignOwnFiles(dir, name, epochs) {
  cpSync(example('ibmea-own-data', 'data'), join(dir, 'data'), { recursive: true });
  const graphs = ['--source', 'data/films.csv', '--target', 'data/katalog.csv'];
  const attributes = ['source', 'target'].flatMap((side) => [
    `--${side}-attributes`,
    `data/${side === 'source' ? 'films' : 'katalog'}-attributes.csv`,
  ]);
  const files = [...graphs, '--links', 'data/seeds.csv', ...attributes];
  const npx = npxIn(dir, name);
  assertHolds((await npx('check', ...files)).stdout, 'no defects', `${name} check`);
  const settings = ['--matching', 'greedy', '--epochs', epochs, '--seed', '1'];
  await npx('align', ...files, ...settings, '--out', 'pairs.csv');
  const [heading, ...rows] = linesOf(dir, 'pairs.csv');
  if (heading !== 'source,target,confidence,score,margin,mutual') {
    throw new Error(`pairs.csv begins with ${heading}`);
  }
  const whole = rows.filter((row) =>
    /^[^,]+,[^,]+,(0\.\d+|1\.0+)?(,-?\d+\.\d+){2},(yes|no)$/.test(row),
  );
  if (whole.length !== rows.length) throw new Error(`pairs.csv has rows like ${rows[0]}`);
  const found = new Set(rows.map((row) => row.split(',', 2).join()));
  const truth = linesOf(dir, 'data', 'truth.csv').slice(1);
  const right = truth.filter((pair) => found.has(pair)).length;
  if (right < 0.9 * truth.length) throw new Error(`${right} of ${truth.length} pairs are right`);
}

/** A server with OpenAI's interface on loopback, whose answers are a function of the prompt. */
async function withServer(answer, work) {
  const reply = async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { messages, model } = JSON.parse(body);
    const prompt = messages.map(({ content }) => content).join('\n');
    const message = { role: 'assistant', content: answer(prompt) };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    // So many that no prompt seems to be cut.
    const usage = { prompt_tokens: Math.ceil(prompt.length / 3), completion_tokens: 20 };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', model, choices, usage }));
  };
  const server = createServer((request, response) => {
    reply(request, response).catch((error) => response.destroy(error));
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    await work(`http://127.0.0.1:${server.address().port}/v1`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The pairs of a shop: checked, planned, judged by a network, beside a baseline, one looked at. */
async function judgeOwnPairs(dir) {
  cpSync(example('widedeep-own-pairs', 'replies.csv'), join(dir, 'replies.csv'));
  const npx = npxIn(dir, 'widedeep-eval');
  const data = [
    ...['--data', 'replies.csv', '--id', 'ticket', '--question', 'customer'],
    ...['--a', 'old prompt', '--b', 'new prompt', '--gold', 'team says'],
    ...['--gold-map', 'old=1,new=2,same=tie'],
  ];
  assertHolds((await npx('check', ...data)).stdout, 'no defects', 'widedeep-eval check');
  const answer = (prompt) =>
    prompt.includes('From which angles')
      ? '$Help& does it solve the problem?\n$Tone& is it kind?'
      : 'Assistant 2 says more.\nScore of Assistant 1: 5\nScore of Assistant 2: 8';
  await withServer(answer, async (url) => {
    const model = ['--base-url', url, '--model', 'any'];
    assertHolds((await npx('plan', ...data, ...model)).stdout, 'calls', 'widedeep-eval plan');
    await npx('judge', ...data, ...model, '--preset', 'cheap', '--out', 'runs/first');
  });
  const rows = linesOf(dir, 'runs', 'first', 'predictions.jsonl').map((line) => JSON.parse(line));
  const judged = rows.filter(({ status, output }) => status === 'ok' && output.verdict === 'tie');
  // The server prefers what stands second, whichever it is: each order takes it back.
  if (rows.length !== 12 || judged.length !== 12) throw new Error(`${judged.length} of 12 ties`);
  await npx('baseline', 'length', ...data, '--out', 'runs/length');
  const { stdout } = await npx('evaluate', 'runs/first', '--against', 'runs/length');
  assertHolds(stdout, "Cohen's kappa", 'widedeep-eval evaluate');
  const page = (await npx('report', 'runs/first', '--sample', 't01')).stdout.trim();
  assertHolds(readFileSync(join(dir, page), 'utf8'), 'Who prefers what', page);
}

/** A benchmark of eight reports: built, checked, planned, asked, scored by rule. */
async function benchmarkOwnDocuments(dir) {
  cpSync(example('loong-own-documents', 'docs'), join(dir, 'reports'), { recursive: true });
  cpSync(example('loong-own-documents', 'facts.csv'), join(dir, 'values.csv'));
  const npx = npxIn(dir, 'loong');
  const lengths = ['--lengths', '2000,4000'];
  await npx(
    ...['build', '--docs', 'reports', '--facts', 'values.csv', ...lengths, '--out', 'my-benchmark'],
  );
  const data = ['--data', 'my-benchmark/questions.jsonl'];
  assertHolds((await npx('check', ...data)).stdout, 'documents: all', 'loong check');
  await withServer(
    () => 'I do not know.',
    async (url) => {
      const model = ['--base-url', url, '--model', 'any'];
      assertHolds((await npx('plan', ...data, ...model)).stdout, 'tokens in', 'loong plan');
      await npx('run', ...data, ...model, '--out', 'runs/mine');
    },
  );
  const questions = linesOf(dir, 'my-benchmark', 'questions.jsonl').length;
  const answers = linesOf(dir, 'runs', 'mine', 'predictions.jsonl').length;
  if (answers !== questions) throw new Error(`${answers} answers to ${questions} questions`);
  const { stdout } = await npx('evaluate', 'runs/mine', '--rule-scores');
  assertHolds(stdout, 'avg score', 'loong evaluate');
}

/** The small model of the package: trained further on own pairs, and asked. */
async function trainOwnPairs(dir) {
  const npx = npxIn(dir, 'transformer');
  const pairs = ['drum', 'lamp', 'chair', 'table'].map((thing) => ({
    prompt: `Please paint the ${thing}.`,
    answer: `The ${thing} is blue now.`,
  }));
  writeFileSync(
    join(dir, 'pairs.jsonl'),
    pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''),
  );
  const model = join('node_modules', '@lab', 'transformer', 'models', 'organism');
  const settings = ['data.train=pairs.jsonl', 'data.heldOut=0', 'training.steps=60'];
  const more = ['training.learningRate=3e-3', 'training.batchSize=4'];
  await npx(
    'train',
    ...[`model.path=${model}`, ...settings, ...more].flatMap((text) => ['--set', text]),
  );
  const [run] = readdirSync(join(dir, 'runs'));
  const trained = join('runs', run, 'model');
  if (!existsSync(join(dir, trained, 'model.safetensors'))) throw new Error('no model was written');
  const losses = linesOf(dir, 'runs', run, 'metrics.jsonl').map((line) => JSON.parse(line).loss);
  const known = losses.filter((loss) => typeof loss === 'number');
  if (!(known.at(-1) < 0.5 * known[0])) throw new Error(`loss ${known[0]} to ${known.at(-1)}`);
  await npx('validate', trained);
}

/** By package. */
export const userTasks = {
  ibmea: (dir) => alignOwnFiles(dir, 'ibmea', '100'),
  loginmea: (dir) => alignOwnFiles(dir, 'loginmea', '60'),
  loong: benchmarkOwnDocuments,
  transformer: trainOwnPairs,
  'widedeep-eval': judgeOwnPairs,
};
