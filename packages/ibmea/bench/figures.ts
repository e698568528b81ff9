// The figure of the README and of docs/reproducing.md, from the runs of the long check quality-3k:
// node --conditions=@lab/source --import tsx packages/ibmea/bench/figures.ts
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EpochRecord, RunSummary } from '@lab/alignment';
import { readJsonLines, readRunRecord } from '@lab/core';
import { meanDeviation, tInterval } from '@lab/metrics';
import { linePlot, standaloneSvg, svgToPng } from '@lab/report';

const runsDir = join('runs', 'long', 'quality-3k');
const outDir = join('docs', 'figures');

const names: Record<string, string> = {
  official: 'official',
  'official-pseudo': 'official, pseudo seeds',
  corrected: 'corrected',
  'corrected-pseudo': 'corrected, pseudo seeds',
};

/** H@1 by epoch, a list over the seeds, of every kind of run. */
const curves = new Map<string, Map<number, number[]>>();
/** H@1 of the baseline in every run: its random vectors hang on the seed. */
const baselines: number[] = [];
for (const folder of readdirSync(runsDir)) {
  const kind = folder.replace(/-s\d+$/, '');
  const curve = curves.get(kind) ?? new Map<number, number[]>();
  curves.set(kind, curve);
  const records = readJsonLines(join(runsDir, folder, 'metrics.jsonl')).rows as EpochRecord[];
  for (const { epoch, evaluation } of records) {
    if (evaluation === undefined) continue;
    const values = curve.get(epoch + 1) ?? [];
    curve.set(epoch + 1, [...values, evaluation.forward['hits@1']!]);
  }
  const results = readRunRecord(join(runsDir, folder)).results as RunSummary | null;
  const baseline = results?.baseline?.forward['hits@1'];
  if (baseline !== undefined) baselines.push(baseline);
}

const figure = linePlot({
  title: 'Test pairs found on EN-FR 3K over the training',
  x: { label: 'epoch' },
  y: { label: 'H@1, KG1 to KG2', format: 'share' },
  references: [{ y: meanDeviation(baselines).mean, label: 'training-free baseline' }],
  series: Object.entries(names)
    .filter(([kind]) => curves.has(kind))
    .map(([kind, name]) => ({
      name,
      points: [...curves.get(kind)!].map(([x, values]) => {
        const { mean } = meanDeviation(values);
        const { low, high } = values.length > 1 ? tInterval(values) : { low: mean, high: mean };
        return { x, y: mean, low, high };
      }),
    })),
});
mkdirSync(outDir, { recursive: true });
const svg = standaloneSvg(figure);
writeFileSync(join(outDir, 'ibmea-en-fr-3k.svg'), svg);
writeFileSync(join(outDir, 'ibmea-en-fr-3k.png'), await svgToPng(svg));
