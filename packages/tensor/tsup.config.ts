import { cp } from 'node:fs/promises';
import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/io.ts', 'src/linalg.ts', 'src/testing.ts', 'src/cli.ts'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  dts: false,
  async onSuccess() {
    for (const name of ['torch_ops.py', 'torch_graph_ops.py']) {
      await cp(`src/bench/${name}`, `dist/${name}`);
    }
    await cp('src/kernels', 'dist/kernels', {
      recursive: true,
      filter: (source) => !source.endsWith('.ts'),
    });
  },
});
