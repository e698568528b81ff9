// The whole comparison on EN-FR 3K, a long check: five seed shares and faulty rows, three seeds.
// node --conditions=@lab/source --import tsx examples/alignment-compare/study.ts [SEEDS]
// Finished cells are kept in docs/experiments/alignment-comparison/comparison.jsonl.
import { join } from 'node:path';
import {
  type AlignmentMethod,
  compareMethods,
  exampleSource,
  methodComparisonPage,
  readTask,
  settingsOf,
  studyTable,
} from '@lab/alignment';
import { makeFolder, writeFileAtomic } from '@lab/core';
import { ibmea } from '@lab/ibmea';
import { loginmea } from '@lab/loginmea';
import { markdownTable, standaloneSvg, svgToPng, writeRunPage } from '@lab/report';
import { selectBackend } from '@lab/tensor';

const seeds = (process.argv[2] ?? '1,2,3').split(',').map(Number);
const dir = join('docs', 'experiments', 'alignment-comparison');
const command = 'npm run long -- --only alignment-comparison';

const contestant = (label: string, method: AlignmentMethod, epochs: number, settings = {}) => {
  const every = { 'evaluation.every': epochs, 'evaluation.select': 'last' };
  const config = settingsOf(method, {
    preset: 'quick',
    epochs,
    settings: { ...settings, ...every },
  });
  return { label, method, config };
};
const contestants = [
  contestant('IBMEA', ibmea, 80),
  contestant('LoginMEA', loginmea, 20),
  contestant('LoginMEA, graph alone', loginmea, 20, { 'data.modalities': ['graph'] }),
] as const;

await selectBackend('auto');
const task = await readTask(exampleSource('en-fr-3k'), contestants[0].config.config);
const cells = await compareMethods({
  ...{ task, contestants, seeds, dir },
  seedShares: [0.01, 0.05, 0.1, 0.2, 0.3],
  faultyShares: [0, 0.1, 0.3, 0.5],
  onProgress: (text) => console.error(text),
});
const page = methodComparisonPage({
  ...{ task, cells, seeds, command },
  conditions: contestants.map(
    ({ label, config }) => `${label}: ${config.config.training.epochs} epochs`,
  ),
});
const figures = [page.mainFigure, ...page.sections.flatMap((section) => section.figures ?? [])];
for (const [at, study] of (['few-seeds', 'faulty-rows'] as const).entries()) {
  const heading = page.sections[at]!.heading;
  const table = markdownTable(studyTable(study, cells));
  const trained = page.environment!.map(({ value }) => value).join('; ');
  const conditions = `${task.data.name}, seeds ${seeds.join(', ')}; ${trained}.`;
  const text = `## ${heading}\n\n${conditions}\n\n${table}\n`;
  writeFileAtomic(join(dir, `${study}.md`), text);
  const svg = standaloneSvg(figures[at]!.figure);
  writeFileAtomic(join(dir, `${study}.svg`), svg);
  writeFileAtomic(join(dir, `${study}.png`), await svgToPng(svg));
}
makeFolder(join('runs', 'long'));
writeRunPage(join('runs', 'long', 'alignment-comparison.html'), page);
const found = cells.map(({ study, label, x, row }) => ({ study, label, x, mean: row.mean['H@1'] }));
console.log(JSON.stringify(found));
