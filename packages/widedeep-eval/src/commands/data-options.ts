/** The flags that say which pairs are judged. */
import { ConfigError, type OnDefect } from '@lab/core';
import type { CliOption } from '@lab/core/cli';
import { type FlagValues, textOf } from '@lab/llm/commands';
import { parseLabelMap } from '../readers/gold-label.js';
import { dataFormats, parseFormat, type SampleSource } from '../readers/read-samples.js';

const topic = 'data';

/** The flags, by topic. */
export const dataOptions: readonly CliOption[] = [
  { flags: '--data <path>', summary: 'pairs of answers: a file, or a folder of FairEval', topic },
  {
    flags: '--format <name>',
    summary: `${dataFormats.join(', ')}`,
    unit: 'default told by the content',
    topic,
  },
  { flags: '--question <field>', summary: 'field of the question', topic },
  { flags: '--a <field>', summary: 'field of the first answer', topic },
  { flags: '--b <field>', summary: 'field of the second answer', topic },
  { flags: '--gold <field>', summary: 'field of the verdict of people', topic },
  { flags: '--gold-map <label=verdict>', summary: 'what labels mean, with commas between', topic },
  { flags: '--id <field>', summary: 'field that names a pair', topic },
  { flags: '--family <name>', summary: 'task of pairs that name none', unit: 'default qa', topic },
  { flags: '--families <file>', summary: 'own families of prompts, JSON or YAML', topic },
  {
    flags: '--systems <names>',
    summary: 'systems to compare, of a folder with answer_NAME.jsonl files',
    kind: 'list',
    topic,
  },
  {
    flags: '--dedupe <which>',
    summary: 'first or last of pairs with the same id',
    unit: 'default an error',
    topic,
  },
  { flags: '--slice <from-to>', summary: 'pairs of these numbers alone, from 1', topic },
];

/**
 * Where the flags say that pairs are.
 *
 * @throws {ConfigError} for missing data and for what is no format, label or way to dedupe.
 */
export function sampleSource(options: FlagValues, onDefect?: OnDefect): SampleSource {
  const text = (name: string) => textOf(options, name);
  const data = text('data');
  if (data === undefined) {
    throw new ConfigError('--data PATH is missing.', {
      help: 'give the pairs: JSON lines, CSV, or a folder; -h shows an example.',
    });
  }
  const [format, labels, dedupe] = [text('format'), text('goldMap'), text('dedupe')];
  const systems = options['systems'];
  return {
    data,
    format: format === undefined ? undefined : parseFormat(format),
    labels: labels === undefined ? undefined : parseLabelMap(labels),
    family: text('family'),
    fields: {
      ...{ question: text('question'), a: text('a'), b: text('b') },
      ...{ gold: text('gold'), id: text('id') },
    },
    systems: Array.isArray(systems) && systems.length > 0 ? systems.map(String) : undefined,
    dedupe: dedupe === undefined ? undefined : parseDedupe(dedupe),
    onDefect,
  };
}

function parseDedupe(text: string): 'first' | 'last' {
  if (text === 'first' || text === 'last') return text;
  throw new ConfigError(`--dedupe ${JSON.stringify(text)} is neither first nor last.`);
}

/**
 * The samples that `--slice` names, all without it.
 *
 * @throws {ConfigError} when it is no range.
 */
export function slicedSamples<T>(samples: readonly T[], options: FlagValues): readonly T[] {
  const slice = textOf(options, 'slice');
  if (slice === undefined) return samples;
  const [, from = '', to = ''] = /^(\d+)-(\d+)$/.exec(slice) ?? [];
  if (from !== '' && Number(from) >= 1 && Number(to) >= Number(from)) {
    return samples.slice(Number(from) - 1, Number(to));
  }
  throw new ConfigError(`--slice ${JSON.stringify(slice)} is no range.`, {
    help: 'write the numbers of the first and the last pair, e.g. --slice 1-100.',
  });
}
