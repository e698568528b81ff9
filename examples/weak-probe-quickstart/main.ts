// At which layer does a model know what it will refuse, and would the words alone have told?
//   main.ts [MODEL CLASS=FILE CLASS=FILE]
// Without arguments: a small shipped model with harmless requests, which refuses some of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig } from '@lab/core';
import { table } from '@lab/core/cli';
import { exampleModel, loadTokenizer, readModelConfig } from '@lab/transformer';
import {
  collectStates,
  formatPrompts,
  probeCollection,
  readPromptSet,
  weakProbeConfig,
} from '@lab/weak-probe';

const [modelPath = exampleModel('organism'), ...files] = process.argv.slice(2);
const { config } = resolveConfig(weakProbeConfig, {
  set: ['data.format=chat', 'data.limit=150', 'probe.kinds=["svm","mass-mean"]'],
});

// Classes of prompts: a file each, or a column `label` of one file.
const sources = files.map((text) => {
  const [label, path] = text.split('=') as [string, string];
  return { label, path };
});
const own = [{ path: join(modelPath, 'prompts.csv') }];
const set = await readPromptSet(sources.length > 0 ? sources : own, config.data);
const { contextTokens } = readModelConfig(modelPath).architecture;
const { prompts } = formatPrompts(loadTokenizer(modelPath), set.prompts, {
  ...config.data,
  contextTokens,
});

const out = mkdtempSync(join(tmpdir(), 'weak-probe-'));
const collection = await collectStates({
  ...{ modelPath, classes: set.classes, prompts, config, out: join(out, 'run') },
});
const { result } = await probeCollection({ collection, config });
const texts = result.controls.find(({ control }) => control === result.strongestControl)!;
const rows = result.states.map(({ state, probes }) => ({
  state,
  ...Object.fromEntries(probes.map(({ probe, accuracy }) => [probe, accuracy.toFixed(3)])),
  'random labels': probes[0]!.randomLabels!.accuracy.toFixed(3),
}));
console.error(`classes ${set.classes.join(', ')}: ${prompts.length} prompts`);
console.error(table(rows));
console.error(`the texts alone: ${texts.accuracy.toFixed(3)} (${texts.control})`);
rmSync(out, { recursive: true });

const [svm] = result.emergence;
console.log(
  JSON.stringify({
    states: rows.length,
    prompts: prompts.length,
    first: result.states[0]!.probes[0]!.accuracy,
    best: svm!.best.accuracy,
    bestState: svm!.best.state,
    readFrom: svm!.firstState,
    texts: texts.accuracy,
  }),
);
