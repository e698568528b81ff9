/**
 * What the example models show, as tables and as a page.
 */
import { formatCounted, formatPercent, formatShare } from '@lab/core';
import type { RunPage, Section, Table } from '@lab/report';
import { searchSteps } from '../figures/score-comparison-figures.js';
import { scoreMap } from '../figures/score-figures.js';
import { randomControl } from '../figures/success-figures.js';
import { headKey } from '../head.js';
import { backupSentences, pickedHeads } from '../report/backup-heads.js';
import { version } from '../version.js';
import type { OrganismResult } from './organism.js';
import type { PlantedResult } from './planted-models.js';
import type { GroupResult } from './refusal-study.js';

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
      { key: 'answers', label: 'Refusals that become answers', kind: 'share' },
      { key: 'lost', label: 'Accuracy lost', kind: 'share' },
    ],
    rows: results.map(({ model, planted, ranks, recall, isRedundant, result }) => ({
      model: isRedundant ? { value: model, note: 'either head is enough' } : model,
      k: planted.length,
      heads: planted.map(headKey).join(', '),
      ranks: ranks.join(', '),
      ...recall,
      answers: result.groups[0]!.success.rate.share,
      lost: result.intact.accuracy.share - result.groups[0]!.accuracy.share,
    })),
  };
}

/** What the trained model does without its heads, a row for each way to find them. */
export function organismTable({ intact, groups, random, randomInterval }: OrganismResult): Table {
  const rowOf = ({ name, heads, success, accuracy, refusedInstead }: GroupResult) => ({
    way: name,
    heads: heads.map(headKey).join(', '),
    success: shareCell(success.rate),
    accuracy: shareCell(accuracy),
    instead: refusedInstead,
  });
  return {
    caption: 'Small print: 95 % intervals; of random groups over draws',
    columns: [
      { key: 'way', label: 'Without heads by' },
      { key: 'heads', label: 'Heads' },
      { key: 'success', label: 'Answers what it refused', kind: 'share' },
      { key: 'accuracy', label: 'Right on other requests', kind: 'share' },
      { key: 'instead', label: 'Refuses of these', kind: 'share' },
    ],
    rows: [
      rowOf(intact),
      ...groups.map(rowOf),
      {
        way: `chance, ${random.length} draws`,
        success: {
          ...{ value: randomInterval.mean, low: randomInterval.low, high: randomInterval.high },
          note: `highest ${formatShare(Math.max(...random))}`,
        },
      },
    ],
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
  const best = organism?.groups[0];
  return {
    title: 'Are the right heads found?',
    eyebrow: 'sahara on the example models of @lab/transformer',
    sentence:
      `In ${found.length} of ${planted.length} models with planted heads exactly these are found` +
      (best === undefined
        ? '.'
        : `; without ${formatCounted(best.heads.length, 'head')} the trained model answers ` +
          `${formatPercent(best.success.rate.share)} of what it refused.`),
    numbers: [
      { label: 'Models with all heads found', value: `${found.length} of ${planted.length}` },
      ...(best === undefined
        ? []
        : [
            {
              label: 'Answers without the heads',
              value: best.success.rate.share,
              interval: best.success.rate,
              reference: `random heads ${formatPercent(organism!.randomInterval.mean)}`,
            },
          ]),
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
  const missed = planted.map((head, at) => `${headKey(head)} has rank ${ranks[at]}`).join(', ');
  return {
    heading: model,
    text:
      `Either of two heads is enough for a refusal. In a scan of single heads ${missed}. ` +
      backupSentences(pickedHeads(own), steps[0]?.unit ?? 'nats').join(' '),
    figures: [searchSteps(own)],
  };
}

function organismSection(organism: OrganismResult): Section {
  const { groups, intact, random, planted, recall } = organism;
  return {
    heading: 'A trained model',
    text:
      'Half of the requests to this model are refused: those whose action, object and order have ' +
      `an odd sum. It was trained so that refusals need heads ${planted
        .map(headKey)
        .join(' and ')}, and answers do not: without them it should answer what it refused, and ` +
      `the other requests as before. Ships finds ${formatPercent(recall.ships)} of these heads, ` +
      `Sahara ${formatPercent(recall.sahara)} by the subspace and ` +
      `${formatPercent(recall.saharaByDivergence)} by the divergence.`,
    figures: groups.map(({ name, heads, success }) => {
      const { figure, caption } = randomControl({
        ...{ named: success.rate.share, intact: intact.success.rate.share, random },
        headCount: heads.length,
      });
      return { figure: { ...figure, title: `${figure.title}: ${name}` }, caption };
    }),
    table: organismTable(organism),
  };
}
