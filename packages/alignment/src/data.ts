/**
 * From files to a task: two graphs and the links between them, divided into seeds and test.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import {
  checkOptions,
  ConfigError,
  DataError,
  type FileRecord,
  formatCount,
  hashFile,
  type OnDefect,
  type OptionFields,
  optionFields,
  reportDefect,
  throwDefect,
} from '@lab/core';
import {
  type AlignmentData,
  automaticSeeds,
  type LinkSplit,
  type OwnGraphFiles,
  readAlignmentFolder,
  readOwnGraphs,
  splitLinks,
  type SplitOptions,
} from '@lab/graph';
import type { CsrArrays } from '@lab/tensor';
import { z } from 'zod';
import type { AlignmentConfig } from './config-fields.js';

/** Two graphs and the links between them, divided into seeds, validation and test. */
export interface AlignmentTask {
  readonly data: AlignmentData;
  readonly split: LinkSplit;
  /** Relation bags `[N, F]` in place of those that the triples give (noise studies). */
  readonly relationBags?: CsrArrays | undefined;
}

/** Where the data are: a folder in the field's layout, or two graphs of one's own. */
export interface DataSource {
  /** Folder in the field's layout. */
  readonly dir?: string | undefined;
  /** Graphs of one's own: folders, CSV or TSV triples, N-Triples. */
  readonly own?: OwnGraphFiles | undefined;
  /**
   * File of seed pairs, two ids a line; `auto:names` pairs equal names; without it the links are
   * split as the config says.
   */
  readonly seedsFile?: string | undefined;
  /** Image file when it is not found by name; false leaves images out. */
  readonly images?: string | false | undefined;
  /** Called for every defect; without it the first one throws. */
  readonly onDefect?: OnDefect | undefined;
}

const { path, callback } = optionFields;

/** The files of own graphs as calls check them. */
export const ownGraphFields = {
  source: path,
  target: path,
  links: path.optional(),
  sourceAttributes: path.optional(),
  targetAttributes: path.optional(),
  sourceImages: path.optional(),
  targetImages: path.optional(),
} satisfies OptionFields<Omit<OwnGraphFiles, 'duplicateTriples' | 'onDefect'>>;

const sourceSchema = z.strictObject({
  dir: path.optional(),
  own: z
    .strictObject({
      ...ownGraphFields,
      duplicateTriples: z.enum(['keep', 'drop']).optional(),
      onDefect: callback,
    } satisfies OptionFields<OwnGraphFiles>)
    .optional(),
  seedsFile: path.optional(),
  images: z
    .custom((value) => value === false || (typeof value === 'string' && value !== ''), {
      message: 'must be a file, or false for none',
    })
    .optional(),
  onDefect: callback,
} satisfies OptionFields<DataSource>);

/** Checks where the data of a call are. */
export function checkDataSource(call: string, source: DataSource): void {
  checkOptions(`${call}, data`, source, sourceSchema);
}

/** What `seedsFile` says when the seeds are to be made from names. */
export const AUTOMATIC_SEEDS = 'auto:names';

/** Origin of such seeds; words that follow it say what was taken away. */
export const AUTOMATIC_ORIGIN = 'AUTOMATIC: unverified pairs of equal names';

/**
 * The graphs of a source and the split of their links.
 *
 * @throws {ConfigError} for a source with unknown fields or wrong ones.
 * @throws {DataError} for the first defect, unless `onDefect` collects them.
 */
export async function readTask(
  source: DataSource,
  config: AlignmentConfig,
): Promise<AlignmentTask> {
  checkDataSource('alignment/readTask', source);
  const report = source.onDefect ?? throwDefect;
  let areLinksSound = true;
  const onDefect: OnDefect = (defect) => {
    areLinksSound &&= !isOfLinks(defect, source);
    report(defect);
  };
  const data = await readGraphs({ ...source, onDefect }, config);
  const { own } = source;
  const areLinksAsked = own === undefined || own.links !== undefined;
  areLinksSound &&= data.links.length > 0 || !areLinksAsked; // none: a defect has said why
  areLinksSound &&= data.cutSides === undefined;
  const options = {
    validationShare: config.data.validationShare,
    judgeCounts: areLinksSound,
    onDefect,
  };
  const { split: choice, seedShare } = config.data;
  const split = await readSplit(source, data, { ...options, split: choice, seedShare });
  if (split.seeds.length === 2 && areLinksSound) {
    const message = 'alignment: there is 1 seed pair, and InfoNCE of one pair says nothing.';
    onDefect(new DataError(message, { help: 'give at least 2 seed pairs' }));
  }
  const remarks = [...data.remarks, ...withoutTest(source, data, split)];
  const files = [...data.files, ...(await seedFiles(source))];
  return { data: { ...data, remarks, files }, split };
}

/** The seed file with its digest; none where there is no such file. */
async function seedFiles({ seedsFile }: DataSource): Promise<FileRecord[]> {
  const isFile = seedsFile !== undefined && seedsFile !== AUTOMATIC_SEEDS;
  return isFile && existsSync(seedsFile) ? [await hashFile(seedsFile)] : [];
}

/** That a seed file leaves no link to test. */
function withoutTest({ seedsFile }: DataSource, { links }: AlignmentData, { test }: LinkSplit) {
  if (seedsFile === undefined || links.length === 0 || test.length > 0) return [];
  return [`No test pairs are left: all ${formatCount(links.length / 2)} links are seeds.`];
}

/** Whether a defect leaves fewer links than the files were meant to hold. */
function isOfLinks({ file }: DataError, { own, seedsFile }: DataSource): boolean {
  if (file === undefined) return false;
  if (file === own?.links || file === seedsFile) return true;
  return /^(ill|sup|ref)_ent_ids(\.gz)?$/.test(basename(file));
}

/** Only the graphs and links. */
async function readGraphs(
  { own, dir, images, onDefect = throwDefect }: DataSource,
  { data: config }: AlignmentConfig,
): Promise<AlignmentData> {
  const { duplicateTriples, modalities } = config;
  if (own !== undefined) return readOwnGraphs({ ...own, duplicateTriples, onDefect });
  if (dir === undefined) {
    throw new ConfigError('alignment: no data were given.', {
      help: 'give a folder (--data DIR) or two graphs (--source FILE --target FILE)',
    });
  }
  const found = modalities.includes('image') ? images : false;
  return readAlignmentFolder(dir, { images: found, duplicateTriples, onDefect });
}

/** Seeds, validation and test pairs; automatic seeds are named as such wherever they are used. */
async function readSplit(
  { seedsFile }: DataSource,
  data: AlignmentData,
  {
    split,
    seedShare,
    ...options
  }: SplitOptions & Pick<AlignmentConfig['data'], 'split' | 'seedShare'>,
): Promise<LinkSplit> {
  if (seedsFile === AUTOMATIC_SEEDS) {
    const { onDefect = throwDefect } = options;
    const seeds = reportDefect(onDefect, () => automaticSeeds(data, 'names'));
    const found = { seeds: seeds ?? new Int32Array(0), origin: AUTOMATIC_ORIGIN };
    return splitLinks(data, { ...options, ...found, judgeCounts: false });
  }
  if (seedsFile !== undefined) return splitLinks(data, { ...options, seedsFile });
  if (seedShare === 1) {
    return splitLinks(data, { ...options, seeds: data.links, origin: 'all links' });
  }
  const isProvided = split === 'provided' && data.providedSplit !== null;
  return splitLinks(data, isProvided ? options : { ...options, share: seedShare });
}
