// Settings of mode corrected, chosen on a validation share of the seeds (never on test links):
//   node --conditions=@lab/source --import tsx packages/ibmea/bench/tune.ts EPOCHS [path=value;...]
// Every argument is one setting; prints validation H@1 and MRR (candidates: all entities) by epoch.
import { fileURLToPath } from 'node:url';
import { type AlignmentMetrics, train } from '../src/index.js';

const dir = fileURLToPath(new URL('../data/en-fr-3k/', import.meta.url));
const [epochs = '100', ...variants] = process.argv.slice(2);

function parse(variant: string): Record<string, unknown> {
  const parts = variant.split(';').filter((part) => part.includes('='));
  return Object.fromEntries(
    parts.map((part) => {
      const [path = '', value = ''] = part.split('=');
      const number = Number(value);
      return [path, value === '' || Number.isNaN(number) ? value : number];
    }),
  );
}

for (const variant of variants.length === 0 ? [''] : variants) {
  const curve: [number, AlignmentMetrics][] = [];
  const { state } = await train({
    data: { dir, seedsFile: `${dir}seeds.tsv` },
    preset: 'dbp15k',
    epochs: Number(epochs),
    settings: {
      'data.validationShare': 0.2,
      'evaluation.candidates': 'all',
      'evaluation.every': 20,
      'evaluation.baseline': false,
      'training.warmup': 10,
      'training.horizon': Number(epochs) * 1.25,
      ...parse(variant),
    },
    onProgress: (progress) => {
      if (progress.stage !== 'epoch' || progress.record.validation === undefined) return;
      curve.push([progress.record.epoch + 1, progress.record.validation]);
    },
  });
  state.dispose();
  const cells = curve.map(([epoch, { forward, backward }]) => {
    const hits = (forward['hits@1']! + backward['hits@1']!) / 2;
    const mrr = (forward.mrr + backward.mrr) / 2;
    return `${epoch}: ${hits.toFixed(3)}/${mrr.toFixed(3)}`;
  });
  console.log(`${(variant || 'default').padEnd(48)} ${cells.join('  ')}`);
}
