/**
 * Scores by task and set beside those that the paper prints of its strongest models.
 */
import type { Table } from '@lab/report';
import type { Evaluation } from '../evaluate.js';
import { publishedCells } from '../published-details.js';
import { lengthSets, levels, taskNames } from '../tasks.js';

/** A row for each task and set of the whole benchmark. */
export function cellsTable({ byLevelAndSet }: Pick<Evaluation, 'byLevelAndSet'>): Table {
  const models = [...new Set(publishedCells.map(({ name }) => name))];
  const score = { kind: 'number', decimals: 2 } as const;
  const groups = new Map(byLevelAndSet.flat().map((group) => [group.name, group]));
  return {
    caption:
      'Average score by task and set. Judges differ: the paper asked GPT-4-turbo-2024-04-09.',
    columns: [
      { key: 'task', label: 'Task' },
      { key: 'set', label: 'Set', kind: 'count' },
      { key: 'here', label: 'this run', ...score },
      ...models.map((name) => ({ key: name, label: `${name}, paper`, ...score })),
    ],
    rows: levels.flatMap((level) =>
      lengthSets.map((set) => {
        const own = groups.get(`${taskNames[level]}, set ${set}`)?.averageScore ?? null;
        return {
          ...{ task: taskNames[level], set, here: own === null ? null : { ...own } },
          ...Object.fromEntries(models.map((name) => [name, publishedScore(name, level, set)])),
        };
      }),
    ),
  };
}

function publishedScore(name: string, level: number, set: number) {
  const cells = publishedCells.find((one) => one.name === name && one.set === set);
  const value = cells?.scores[level - 1];
  if (value === undefined) return { value: null, note: 'not at hand' };
  const perfect = cells?.perfect?.[level - 1];
  return perfect === undefined ? value : { value, note: `perfect ${perfect.toFixed(2)}` };
}
