import { createRandom, createRun } from '@lab/core';

const settings = [
  { model: { dimension: 300 }, training: { rate: 0.005 } },
  { model: { dimension: 100 }, training: { rate: 0.005 } },
  { model: { dimension: 300 }, training: { rate: 0.0005 } },
];

/** Writes three settings with three seeds each as finished runs; returns their folders. */
export function writeSampleRuns(parent: string, seeds: readonly number[] = [1, 2, 3]): string[] {
  return settings.flatMap((config, setting) =>
    seeds.map((seed) => {
      const random = createRandom(`run ${setting} ${seed}`);
      const run = createRun({
        parent,
        dir: `${parent}/run-${setting}-s${seed}`,
        method: 'ibmea',
        label: 'en-fr-3k',
        seed,
        command: ['ibmea', 'train', '--seed', String(seed)],
        config: { ...config, seed },
        data: [{ path: 'triples_1', sha256: 'ab'.repeat(32), bytes: 12 }],
        backend: { name: 'wasm' },
        packages: { '@lab/ibmea': '0.1.0' },
      });
      const top = [0.79, 0.75, 0.7][setting]! + 0.004 * random.normal();
      for (let epoch = 0; epoch <= 60; epoch += 3) {
        const hits = top * (1 - Math.exp(-epoch / 12));
        const loss = { total: 6 * Math.exp(-epoch / 20) + 0.2 + 0.02 * random.normal() };
        run.appendMetrics({ epoch, loss, evaluation: { forward: { 'hits@1': hits } } });
      }
      run.finish({
        status: 'success',
        results: { forward: { 'hits@1': top, mrr: top + 0.06, count: 2100 } },
      });
      return run.dir;
    }),
  );
}
