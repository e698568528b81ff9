// What each method says of a model, on the same requests in the same form.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig } from '@lab/core';
import { meanScores, type PromptScores, shipsOfEach } from '@lab/sahara';
import { selectBackend } from '@lab/tensor';
import {
  encodePrompt,
  loadModel,
  loadTokenizer,
  readModelConfig,
  readPromptData,
} from '@lab/transformer';
import {
  collectStates,
  formatPrompts,
  probeCollection,
  readPromptSet,
  weakProbeConfig,
} from '@lab/weak-probe';

const format = 'chat';

/** Mean Ships of every head over refused requests, `[L][H]`, nats. */
export async function headScores(folder: string) {
  await selectBackend('auto');
  const [model, tokenizer] = [await loadModel(folder), loadTokenizer(folder)];
  const { records } = await readPromptData(join(folder, 'prompts.csv'));
  const prompts = records
    .filter(({ label }) => label === 'refused')
    .slice(0, 24)
    .map(({ id, prompt }) => ({ id, ids: encodePrompt(tokenizer, prompt, { format }).ids }));
  const scores: PromptScores[] = [];
  for await (const one of shipsOfEach(model, prompts)) scores.push(one);
  model.dispose();
  return meanScores(scores);
}

/** Accuracy of a linear machine on every state, and what the words alone tell. */
export async function probedStates(folder: string) {
  const { config } = resolveConfig(weakProbeConfig, {
    set: [`data.format=${format}`, 'data.limit=150', 'probe.kinds=["svm"]'],
  });
  const set = await readPromptSet([{ path: join(folder, 'prompts.csv') }], config.data);
  const { contextTokens } = readModelConfig(folder).architecture;
  const { prompts } = formatPrompts(loadTokenizer(folder), set.prompts, {
    ...{ ...config.data, contextTokens },
  });
  const out = mkdtempSync(join(tmpdir(), 'two-views-'));
  const collection = await collectStates({
    ...{ modelPath: folder, classes: set.classes, prompts, config, out: join(out, 'run') },
  });
  const { result } = await probeCollection({ collection, config });
  rmSync(out, { recursive: true });
  const strongest = result.controls.find(({ control }) => control === result.strongestControl)!;
  const accuracies = result.states.map(({ state, probes }) => ({
    ...{ state, accuracy: probes[0]!.accuracy },
  }));
  return { accuracies, texts: strongest.accuracy };
}
