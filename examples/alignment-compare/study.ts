// The whole comparison on EN-FR 3K, a long check: five seed shares and faulty rows, three seeds.
// node --conditions=@lab/source --import tsx examples/alignment-compare/study.ts [SEEDS]
// Finished cells are kept in docs/experiments/alignment-comparison/comparison.jsonl.
import { join } from 'node:path';
import {
  compareMethods,
  exampleSource,
  methodComparisonPage,
  readTask,
  studyTable,
} from '@lab/alignment';
import { makeFolder, writeFileAtomic } from '@lab/core';
import { markdownTable, standaloneSvg, svgToPng, writeRunPage } from '@lab/report';
import { selectBackend } from '@lab/tensor';
import { comparisonDir, conditions, contestants } from './contestants.js';
import { pairsSection } from './pairs-section.js';

const seeds = (process.argv[2] ?? '1,2,3').split(',').map(Number);
const dir = comparisonDir;
const command = 'npm run long -- --only alignment-comparison';

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
  conditions,
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
writeRunPage(join('runs', 'long', 'alignment-comparison.html'), {
  ...page,
  sections: [...page.sections, ...pairsSection()],
});
const found = cells.map(({ study, label, x, row }) => ({ study, label, x, mean: row.mean['H@1'] }));
console.log(JSON.stringify(found));
