/**
 * What the example models show, as tables and as a page.
 */
import { formatShare } from '@lab/core';
import type { RunPage, Section, Table } from '@lab/report';
import { searchSteps } from '../figures/score-comparison-figures.js';
import { scoreMap } from '../figures/score-figures.js';
import { randomControl } from '../figures/success-figures.js';
import { headKey } from '../head.js';
import { backupSentences, pickedHeads } from '../report/backup-heads.js';
import { version } from '../version.js';
import type { OrganismResult } from './organism.js';
import type { PlantedResult } from './planted-models.js';

/** Recall of the planted heads, a row for each model. */
export function plantedTable(results: readonly PlantedResult[]): Table {
  return {
    caption: 'Share of the k planted heads among the k found; right everywhere is 1',
    columns: [
      { key: 'model', label: 'Model', kind: 'code' },
      { key: 'k', label: 'Planted', kind: 'count' },
      { key: 'heads', label: 'Heads' },
      { key: 'ranks', label: 'Ranks, Ships' },
      { key: 'ships', label: 'Ships', kind: 'share' },
      { key: 'dataset', label: 'Data-set Ships', kind: 'share' },
      { key: 'sahara', label: 'Sahara', kind: 'share' },
    ],
    rows: results.map(({ model, planted, ranks, recall, isRedundant }) => ({
      model: isRedundant ? { value: model, note: 'either head is enough' } : model,
      k: planted.length,
      heads: planted.map(headKey).join(', '),
      ranks: ranks.join(', '),
      ...recall,
    })),
  };
}

/** Attack success and accuracy of the trained model, a row for each way to find heads. */
export function organismTable({ rows }: OrganismResult): Table {
  return {
    caption: 'Small print: 95 % intervals, of random groups over draws',
    columns: [
      { key: 'way', label: 'Heads found by' },
      { key: 'group', label: 'Heads' },
      { key: 'intact', label: 'Answers, intact', kind: 'share' },
      { key: 'ablated', label: 'Answers, without them', kind: 'share' },
      { key: 'random', label: 'Without random ones', kind: 'share' },
      { key: 'accuracy', label: 'Right answers, intact', kind: 'share' },
      { key: 'kept', label: 'Without them', kind: 'share' },
    ],
    rows: rows.map(({ way, group, intact, ablated, randomInterval, random, accuracy }) => ({
      way: way === 'ships' ? 'Ships, single heads' : 'Sahara',
      group: group.map(headKey).join(', '),
      intact: shareCell(intact.rate),
      ablated: shareCell(ablated.rate),
      random: {
        ...{ value: randomInterval.mean, low: randomInterval.low, high: randomInterval.high },
        note: `${random.length} draws, highest ${formatShare(Math.max(...random))}`,
      },
      accuracy: shareCell(accuracy.intact),
      kept: shareCell(accuracy.ablated),
    })),
  };
}

const shareCell = ({ share, low, high }: { share: number; low: number; high: number }) => ({
  ...{ value: share, low, high },
});

/** The page of both, for `writeRunPage`. */
export function evidencePage(
  planted: readonly PlantedResult[],
  organism: OrganismResult | null,
  command: string,
): RunPage {
  const redundant = planted.filter(({ isRedundant }) => isRedundant);
  const found = planted.filter(({ recall, isRedundant }) =>
    isRedundant ? recall.sahara === 1 : recall.ships === 1,
  );
  const row = organism?.rows.at(-1);
  return {
    title: 'Are the right heads found?',
    eyebrow: 'sahara on the example models of @lab/transformer',
    sentence:
      `In ${found.length} of ${planted.length} models with planted heads exactly these are found` +
      (row === undefined
        ? '.'
        : `; without ${row.group.length} heads the trained model answers ` +
          `${formatShare(row.ablated.rate.share)} of what it refused.`),
    numbers:
      row === undefined
        ? []
        : [
            { label: 'Models found', value: `${found.length} of ${planted.length}` },
            {
              label: 'Answers without the heads',
              value: row.ablated.rate.share,
              interval: row.ablated.rate,
              reference: `random heads ${formatShare(row.randomInterval.mean)}`,
            },
            {
              label: 'Accuracy lost',
              value: row.accuracyLoss.toFixed(3),
              reference: 'on requests that are answered',
            },
          ],
    ...(organism === null ? {} : { mainFigure: scoreMap(shipsOf(organism)) }),
    sections: [
      { heading: 'Planted heads', table: plantedTable(planted) },
      ...redundant.map(redundantSection),
      ...(organism === null ? [] : [organismSection(organism)]),
    ],
    ...{ cost: [], settings: [], files: [], command },
    environment: [{ label: 'package', value: `@lab/sahara ${version}` }],
    warnings: ['These models are small and made for this purpose: their refusals are stand-ins.'],
  };
}

const shipsOf = ({ ships: scores }: OrganismResult) =>
  ({ kind: 'ships', unit: 'nats', scores }) as const;

/** What a scan of single heads misses, and what the search makes of it. */
function redundantSection({ model, steps, ranks, planted }: PlantedResult): Section {
  const own = steps.map(
    ({ scores, unit, group }) => ({ kind: 'sahara-step', unit, group, scores }) as const,
  );
  const missed = planted
    .map((head, at) => `${headKey(head)} has rank ${ranks[at]}`)
    .join(', ');
  return {
    heading: model,
    text:
      `Either of two heads is enough for a refusal. In a scan of single heads ${missed}. ` +
      backupSentences(pickedHeads(own), steps[0]?.unit ?? 'nats').join(' '),
    figures: [searchSteps(own)],
  };
}

function organismSection(organism: OrganismResult): Section {
  return {
    heading: 'A trained model',
    text:
      'Half of the requests to this model are refused, by a rule that no word tells. Heads are ' +
      'scored on some refused requests and taken out on others.',
    figures: organism.rows.map(({ way, group, ablated, intact, random }) => {
      const { figure, caption } = randomControl({
        ...{ named: ablated.rate.share, intact: intact.rate.share, random },
        headCount: group.length,
      });
      const title = `${figure.title}: ${way === 'ships' ? 'best single heads' : 'Sahara'}`;
      return { figure: { ...figure, title }, caption };
    }),
    table: organismTable(organism),
  };
}
