/**
 * What a page says about accuracy on tasks, from files that `sahara utility` wrote.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { DataError } from '@lab/core';
import type { Section } from '@lab/report';
import { z } from 'zod';
import { utilityBars } from '../figures/utility-figures.js';
import { headKey } from '../head.js';

const shareSchema = z.object({
  ...{ share: z.number(), low: z.number(), high: z.number(), n: z.number() },
});
const accuracySchema = z.object({ accuracy: shareSchema, normalised: shareSchema });
const textSchema = z.object({ perplexity: z.number(), bitsPerByte: z.number() });
const fileSchema = z.object({
  /** Folder of the model. */
  model: z.string().default(''),
  heads: z.array(z.object({ layer: z.int(), head: z.int() })),
  ablation: z.object({ kind: z.string(), site: z.string() }).nullable(),
  tasks: z.array(
    z.object({ task: z.string(), intact: accuracySchema, ablated: accuracySchema.nullable() }),
  ),
  text: z
    .object({ intact: textSchema.nullable(), ablated: textSchema.nullable() })
    .default({ intact: null, ablated: null }),
});

type UtilityFile = z.infer<typeof fileSchema>;

/**
 * Accuracy by task: the intact model, a bar for every ablation, and one for each other model, such
 * as a pruned one (figure 6b).
 *
 * @param paths - files of `sahara utility --out`, one for each ablation.
 * @throws {DataError} for a file that is none.
 */
export function utilitySection(paths: readonly string[]): Section {
  const files = paths.map(readUtility);
  const tasks = [...new Set(files.flatMap((file) => file.tasks.map(({ task }) => task)))];
  const groups = tasks.map((task) => {
    const own = files.flatMap((file) => {
      const found = file.tasks.find((one) => one.task === task);
      return found === undefined ? [] : [{ file, found }];
    });
    return {
      name: task,
      shares: [
        ...eachModel(own).map(({ file, found }) => ({
          name: file.model === files[0]!.model ? 'intact' : basename(file.model),
          ...found.intact.accuracy,
        })),
        ...own.flatMap(({ file, found }) =>
          found.ablated === null ? [] : [{ name: nameOf(file), ...found.ablated.accuracy }],
        ),
      ],
    };
  });
  return {
    heading: 'Utility',
    text: 'Refusals should go and knowledge should stay.',
    figures: groups.length === 0 ? [] : [utilityBars(groups)],
    ...perplexityTable(files),
  };
}

/** Perplexity of a text, a row for each model and ablation; none where no text was read. */
function perplexityTable(files: readonly UtilityFile[]): Pick<Section, 'table'> {
  const first = files[0]!.model;
  const rows = files.flatMap((file, at) => {
    const { intact, ablated } = file.text;
    const isKnown = files.findIndex(({ model }) => model === file.model) < at;
    const name = file.model === first ? 'intact' : basename(file.model);
    return [
      ...(intact === null || isKnown ? [] : [{ name, ...intact }]),
      ...(ablated === null ? [] : [{ name: nameOf(file), ...ablated }]),
    ];
  });
  if (rows.length === 0) return {};
  return {
    table: {
      caption: 'Perplexity of a text; lower is better',
      columns: [
        { key: 'name', label: 'Model' },
        { key: 'perplexity', label: 'Perplexity', kind: 'number' },
        { key: 'bitsPerByte', label: 'Bits a byte', kind: 'number' },
      ],
      rows,
    },
  };
}

/** The first file of each model. */
function eachModel<T extends { readonly file: UtilityFile }>(own: readonly T[]): T[] {
  return own.filter(
    ({ file }, at) => own.findIndex((other) => other.file.model === file.model) === at,
  );
}

function nameOf({ heads, ablation }: UtilityFile): string {
  const names = heads.map(headKey).join(', ');
  return ablation === null ? `without ${names}` : `${ablation.kind} at ${ablation.site}: ${names}`;
}

function readUtility(path: string): UtilityFile {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new DataError(`${path}: is no file of accuracies.`, {
      ...{ file: path, cause, help: 'Give what "sahara utility --out FILE" has written.' },
    });
  }
}
