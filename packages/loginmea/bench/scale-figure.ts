// The cost curve of docs/reproducing.md from the newest records of the long checks loginmea-scale*:
// node --conditions=@lab/source --import tsx packages/loginmea/bench/scale-figure.ts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LinePlotSpec, linePlot, standaloneSvg, svgToPng } from '@lab/report';

interface Scale {
  readonly entities: number;
  readonly epochSeconds: number | null;
  readonly searchSeconds: number;
  readonly peakHeapBytes: number;
  readonly peakProcessBytes: number;
}

interface LongRecord {
  readonly name: string;
  readonly machine: string;
  readonly result: Scale;
}

const records = JSON.parse(readFileSync(join('docs', 'long-checks.json'), 'utf8')) as LongRecord[];
const newest = new Map<number, LongRecord>();
for (const record of records) {
  // A record that misses a bar is measured all the same.
  const isScale = record.name.startsWith('loginmea-scale') && record.result?.entities > 0;
  if (isScale) newest.set(record.result.entities, record);
}
const rows = [...newest.values()].sort((a, b) => a.result.entities - b.result.entities);
const x = { label: 'entities of each graph', isLog: true } as const;
const points = (value: (row: Scale) => number | null) =>
  rows.flatMap(({ result }) => {
    const y = value(result);
    return y === null ? [] : [{ x: result.entities, y }];
  });
const figures: Record<string, LinePlotSpec> = {
  'loginmea-scale-time': {
    title: 'Time by the size of the graphs (SYNTHETIC, width 100)',
    x,
    y: { label: 'seconds', isLog: true },
    series: [
      { name: 'one epoch, fastest', points: points(({ epochSeconds }) => epochSeconds) },
      { name: 'all candidates, both ways', points: points(({ searchSeconds }) => searchSeconds) },
    ],
  },
  'loginmea-scale-memory': {
    title: 'Memory by the size of the graphs (SYNTHETIC, width 100)',
    x,
    y: { label: 'GB', isLog: true },
    series: [
      { name: 'tensor backend, peak', points: points((row) => row.peakHeapBytes / 1e9) },
      { name: 'process, peak', points: points((row) => row.peakProcessBytes / 1e9) },
    ],
  },
};
mkdirSync(join('docs', 'figures'), { recursive: true });
for (const [name, spec] of Object.entries(figures)) {
  const svg = standaloneSvg(linePlot(spec));
  writeFileSync(join('docs', 'figures', `${name}.svg`), svg);
  writeFileSync(join('docs', 'figures', `${name}.png`), await svgToPng(svg));
}
