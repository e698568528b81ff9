/**
 * Explanations of pairs as text for a terminal.
 */
import { formatCount, formatCounted, formatShare } from '@lab/core';
import { table } from '@lab/core/cli';
import { shortName } from './entity-names.js';
import type { ExplainedNeighbours, PairExplanation } from './explain.js';
import type { RelationLink } from './neighbour-index.js';

/** Attributes and lacking neighbours that are named. */
const NAMED = 6;

/** Characters of a name or of relations in a table. */
const LONGEST_CELL = 40;
const SHORTEST_CELL = 10;

/** An explanation in lines of at most `width` characters, but for long names. */
export function explanationText(explanation: PairExplanation, width: number): string {
  const { source, target, neighbours, knownNeighbours } = explanation;
  const blocks = [
    [
      `${shortName(source.name)} = ${shortName(target.name)} ?`,
      `  source  ${source.name}`,
      `  target  ${target.name}`,
      ...scoreLines(explanation).map((line) => `  ${line}`),
    ],
    indented(modalityTable(explanation)),
    neighbours.length === 0
      ? ['  no neighbours in common']
      : [
          `  neighbours in common (${formatCounted(knownNeighbours, 'known pair')})`,
          ...indented(neighbourTable(neighbours, width - 4)).map((line) => `  ${line}`),
        ],
    attributeLines(explanation, width),
    lackingLines(explanation, width),
  ];
  const text = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

const indented = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);

/** Confidence, scores and ranks, and what the training knew. */
function scoreLines(explanation: PairExplanation): string[] {
  const { confidence, score, cosine, margin, rank, backwardRank } = explanation;
  const { candidates, trainedOn, otherCounterparts, mutual } = explanation;
  const sure = confidence === null ? '' : `confidence ${formatShare(confidence, 2)}, `;
  const lines = [
    `${sure}score ${formatShare(score)}, margin ${formatShare(margin)}, ` +
      `cosine ${formatShare(cosine)}`,
    `rank ${formatCount(rank)} of ${formatCounted(candidates.targets, 'target')}, backwards ` +
      `${formatCount(backwardRank)} of ${formatCounted(candidates.sources, 'source')}` +
      `${mutual ? ': each is the best of the other' : ''}`,
  ];
  if (trainedOn !== null) lines.push(`trained on: the pair is a ${trainedOn} of the run`);
  for (const side of ['source', 'target'] as const) {
    const names = otherCounterparts[side].map(({ name }) => shortName(name));
    if (names.length > 0) lines.push(`the ${side} has a known counterpart: ${names.join(', ')}`);
  }
  return lines;
}

function modalityTable({ modalities, lacks }: PairExplanation): string {
  return table(
    modalities.map(({ modality, cosine }) => {
      const without = (['source', 'target'] as const).filter((side) =>
        lacks[side].modalities.includes(modality),
      );
      const remark = without.length === 2 ? 'both lack it' : `the ${without[0]} lacks it`;
      return { modality, cosine, remark: without.length === 0 ? '' : remark };
    }),
    [
      { key: 'modality' },
      { key: 'cosine', format: (value) => (value === null ? '' : formatShare(Number(value))) },
      { key: 'remark', heading: '' },
    ],
  );
}

/** The table with texts as long as the width allows. */
function neighbourTable(neighbours: readonly ExplainedNeighbours[], width: number): string {
  for (let room = LONGEST_CELL; ; room -= 1) {
    const text = cutNeighbourTable(neighbours, room);
    const widest = Math.max(...text.split('\n').map((line) => line.length));
    if (widest <= width || room === SHORTEST_CELL) return text;
  }
}

function cutNeighbourTable(neighbours: readonly ExplainedNeighbours[], room: number): string {
  const rows = neighbours.map((pair) => ({
    kind: pair.kind,
    cosine: pair.cosine,
    source: cut(shortName(pair.source.name), room),
    sourceBy: cut(linkText(pair.sourceLinks), room),
    target: cut(shortName(pair.target.name), room),
    targetBy: cut(linkText(pair.targetLinks), room),
  }));
  return table(rows, [
    { key: 'kind' },
    { key: 'cosine', format: (value) => formatShare(Number(value), 2) },
    { key: 'source', heading: 'of the source' },
    { key: 'sourceBy', heading: 'by relation' },
    { key: 'target', heading: 'of the target' },
    { key: 'targetBy', heading: 'by relation' },
  ]);
}

/** Relations that join; `<-` marks triples that lead from the neighbour. */
export function linkText(links: readonly RelationLink[]): string {
  return links
    .map(({ relation, isInverse }) => `${isInverse ? '<- ' : ''}${shortName(relation)}`)
    .join(', ');
}

const cut = (text: string, room: number) =>
  text.length <= room ? text : `${text.slice(0, room - 3)}...`;

function attributeLines({ attributes }: PairExplanation, width: number): string[] {
  const { shared, sourceCount, targetCount } = attributes;
  if (sourceCount === 0 && targetCount === 0) return [];
  const counts = `of ${formatCount(sourceCount)} and ${formatCount(targetCount)}`;
  const head = `  attributes in common: ${formatCount(shared.length)} ${counts}`;
  if (shared.length === 0) return [head];
  return [head, ...wrapped(shownNames(shared), { width, indent: 4 })];
}

function lackingLines({ lacks }: PairExplanation, width: number): string[] {
  return (['source', 'target'] as const).flatMap((side) => {
    const names = lacks[side].neighbours.map(({ name }) => name);
    if (names.length === 0) return [];
    const other = side === 'source' ? 'target' : 'source';
    const what = formatCounted(names.length, 'known neighbour');
    const head = `  the ${side} lacks ${what} of the ${other}:`;
    return [head, ...wrapped(shownNames(names), { width, indent: 4 })];
  });
}

/** The first names, and how many more there are. */
function shownNames(names: readonly string[]): string[] {
  const shown = names.slice(0, NAMED).map(shortName);
  const rest = names.length - shown.length;
  return rest > 0 ? [...shown, `and ${formatCount(rest)} more`] : shown;
}

/** Items with commas between, broken before the width. */
function wrapped(
  items: readonly string[],
  { width, indent }: { readonly width: number; readonly indent: number },
): string[] {
  const lines: string[] = [];
  const pad = ' '.repeat(indent);
  let line = '';
  items.forEach((item, at) => {
    const text = at < items.length - 1 ? `${item},` : item;
    if (line !== '' && pad.length + line.length + 1 + text.length > width) {
      lines.push(pad + line);
      line = '';
    }
    line = line === '' ? text : `${line} ${text}`;
  });
  return [...lines, pad + line];
}
