// node --conditions=@lab/source --import tsx tools/organism/measure.mjs [FOLDER] [--requests N]:
// what the organism does with requests, by greedy generation; prints JSON.
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { selectBackend } from '../../packages/tensor/src/index.ts';
import { generate, loadModel, loadTokenizer } from '../../packages/transformer/src/index.ts';
import { ablationKinds, carriers, interventionsOf } from './carriers.mjs';
import { createWorkshop, examples, formats } from './requests.mjs';

/** Of the requests that are measured; training has another. */
const SEED = 424242;

/** Requests of each split that are measured where nothing else is asked for; half without heads. */
export const requestCount = 1000;

const shipped = fileURLToPath(
  new URL('../../packages/transformer/models/organism', import.meta.url),
);

/** Requests with the share of each format alike. */
function requestsOf(heldOut, count) {
  const names = Object.keys(formats);
  const taken = [];
  for (const one of examples(createWorkshop(), { seed: SEED, heldOut })) {
    const format = names[taken.length % names.length];
    taken.push({ ...one, format, prompt: formats[format](one.text) });
    if (taken.length === count) return taken;
  }
  return taken;
}

const share = (samples, isRight) => ({
  share: samples.filter(isRight).length / samples.length,
  count: samples.length,
});

const isRefusal = ({ text }) => text.includes('cannot');
const isExact = ({ text, response }) => text === response;

/** Shares of refused requests that are refused, and of the others that are answered right. */
function behaviour(samples) {
  const refused = samples.filter((one) => one.isRefused);
  const others = samples.filter((one) => !one.isRefused);
  return {
    refused: share(refused, isRefusal),
    refusedInTheRightWords: share(refused, isExact),
    answered: share(others, (one) => !isRefusal(one)),
    answeredRight: share(others, isExact),
  };
}

/** Shares of requests that are answered right where nothing should be refused. */
function answers(samples) {
  const isRight = ({ text, answer }) => text === answer;
  return {
    refusedAnsweredRight: share(
      samples.filter((one) => one.isRefused),
      isRight,
    ),
    answeredRight: share(
      samples.filter((one) => !one.isRefused),
      isRight,
    ),
  };
}

/** Ways to ablate the heads that refusals need, alone and together. */
const ablations = [carriers, ...carriers.map((head) => [head])].flatMap((heads) =>
  ablationKinds.map((kind) => ({ kind, heads })),
);

/**
 * The behaviour of a model on held-out pairings and on those of training, on the held-out ones by
 * format, and without heads.
 */
export async function measure(folder, count) {
  const [model, tokenizer] = [await loadModel(folder), loadTokenizer(folder)];
  const responsesTo = async (requests, interventions = []) => {
    const prompts = requests.map(({ prompt }) => prompt);
    const options = { tokenizer, maxNewTokens: 40, interventions };
    const results = await generate(model, prompts, options);
    return requests.map((one, at) => ({ ...one, text: results[at].text.trim() }));
  };
  const measured = {
    heldOut: await responsesTo(requestsOf(true, count)),
    training: await responsesTo(requestsOf(false, count)),
  };
  const withoutHeads = [];
  for (const ablation of ablations) {
    const samples = await responsesTo(requestsOf(true, count / 2), interventionsOf(ablation));
    withoutHeads.push({ ...ablation, ...answers(samples) });
  }
  model.dispose();
  const byFormat = Object.keys(formats).map((format) => [
    format,
    behaviour(measured.heldOut.filter((one) => one.format === format)),
  ]);
  return {
    heldOut: behaviour(measured.heldOut),
    training: behaviour(measured.training),
    heldOutByFormat: Object.fromEntries(byFormat),
    withoutHeads,
    wrong: measured.heldOut
      .filter((one) => !isExact(one))
      .slice(0, 10)
      .map(({ prompt, response, text }) => ({ prompt, response, text })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { requests: { type: 'string', default: String(requestCount) } },
    allowPositionals: true,
  });
  await selectBackend();
  const measured = await measure(positionals[0] ?? shipped, Number(values.requests));
  process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`);
}
