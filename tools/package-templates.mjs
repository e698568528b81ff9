import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.mjs';

/** Run-time dependencies by level: what most packages of that level start with. */
const dependenciesOfLevel = [
  ['zod'],
  ['@lab/core'],
  ['@lab/core', '@lab/tensor'],
  ['@lab/core', '@lab/metrics', '@lab/report', 'zod'],
];

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** As `json`, with lists on one line, as the formatter wants them outside package.json. */
const compactJson = (value) =>
  json(value).replace(/\[\s+([^[\]]*?)\s+\]/g, (_, list) => `[${list.replace(/\s*\n\s*/g, ' ')}]`);
const entry = (name) => ({
  '@lab/source': `./src/${name}.ts`,
  types: `./dist/${name}.d.ts`,
  default: `./dist/${name}.js`,
});

/** `weak-probe` becomes `weakProbe`. */
export const camelCase = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

function manifest({ name, level, description }) {
  const isMethod = level === 3;
  const range = (dependency) => (dependency.startsWith('@lab/') ? 'workspace:^' : 'catalog:');
  return json({
    name: `@lab/${name}`,
    version: '0.0.0',
    description,
    keywords: [],
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    repository: {
      type: 'git',
      url: 'git+https://github.com/lab-science/lab.git',
      directory: `packages/${name}`,
    },
    exports: { '.': entry('index'), './package.json': './package.json' },
    ...(isMethod ? { bin: { [name]: `./bin/${name}.js` } } : {}),
    files: [
      ...(isMethod ? ['bin', 'config.schema.json'] : []),
      'dist',
      'src',
      '!src/**/*.test.ts',
      '!src/**/__fixtures__',
    ],
    publishConfig: { access: 'public', provenance: true },
    scripts: {
      build: 'tsup && tsc -p tsconfig.build.json',
      typecheck: 'tsc -p tsconfig.json',
      test: 'vitest run',
      'pack:check': 'publint --strict && attw --pack . --profile esm-only',
    },
    dependencies: Object.fromEntries(
      dependenciesOfLevel[level].map((dependency) => [dependency, range(dependency)]),
    ),
  });
}

const methodChapters = (name) => `
## Paper

## Install

\`\`\`sh
npm install @lab/${name}
\`\`\`

## Quickstart

\`\`\`sh
npx ${name} demo
\`\`\`

## Command line

## Your own data

## Options

<!-- options: generated -->

<!-- /options -->

## Results

## Deviations from the paper

<!-- deviations: generated -->

<!-- /deviations -->

## Limits and cost

## Cite
`;

const blockChapters = (name) => `
## Install

\`\`\`sh
npm install @lab/${name}
\`\`\`

## Use
`;

const readme = ({ name, description, level }) => `# @lab/${name}

${description}.
${level === 3 ? methodChapters(name) : blockChapters(name)}
## Licence

MIT
`;

const config = ({ name }) => `import type { ConfigDefinition } from '@lab/core';
import { z } from 'zod';
import { modeValues, presets } from './presets.js';

/** The whole configuration, two levels: topic and field. */
export const configSchema = z.strictObject({
  seed: z.int().min(0).default(1).describe('seed of every random stream'),
});

/** A resolved configuration. */
export type Config = z.infer<typeof configSchema>;

/** Schema, modes and presets together, as \`resolveConfig\` of \`@lab/core\` wants them. */
export const ${camelCase(name)}Config: ConfigDefinition<Config> = {
  name: '${name}',
  schema: configSchema,
  modes: ['corrected', 'official'],
  defaultMode: 'corrected',
  modeValues,
  presets,
};
`;

const presets = `import type { DeepPartial, Preset } from '@lab/core';
import type { Config } from './config.js';

/** What each mode changes against the defaults. */
export const modeValues: Record<string, DeepPartial<Config>> = { corrected: {}, official: {} };

/** Settings by data set. */
export const presets: Record<string, Preset<Config>> = {};
`;

const configTest = ({ name }) => `import { resolveConfig } from '@lab/core';
import { expect, test } from 'vitest';
import { ${camelCase(name)}Config } from './config.js';

test('the defaults resolve, and an unknown key is refused', () => {
  expect(resolveConfig(${camelCase(name)}Config, {}).config.seed).toBe(1);
  expect(() => resolveConfig(${camelCase(name)}Config, { set: ['sed=2'] })).toThrow(/seed/);
});
`;

const cli = ({ name, description }) => `import { type CliDefinition, runCli } from '@lab/core/cli';

const definition: CliDefinition = {
  name: '${name}',
  summary: '${description}',
  version: '0.0.0',
  commands: [
    {
      name: 'demo',
      summary: 'a result in seconds, on synthetic data',
      options: [],
      example: '${name} demo',
      run: async (context) => context.print('${name}: nothing to show yet'),
    },
  ],
};

await runCli(definition);
`;

const tsup = (entries) => `import { defineConfig } from 'tsup';

export default defineConfig({
  entry: [${entries.map((name) => `'src/${name}.ts'`).join(', ')}],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  dts: false,
});
`;

/** The entries that are the same in every package. */
const commonFiles = (options) => ({
  'package.json': manifest(options),
  'README.md': readme(options),
  'CHANGELOG.md': `# @lab/${options.name}\n`,
  'tsconfig.json': compactJson({
    extends: '../../tsconfig.base.json',
    include: ['src', 'test', 'bench'],
  }),
  'tsconfig.build.json': compactJson({
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      noEmit: false,
      emitDeclarationOnly: true,
      rootDir: 'src',
      outDir: 'dist',
      customConditions: [],
    },
    include: ['src'],
    exclude: ['src/**/*.test.ts', 'src/**/__fixtures__'],
  }),
  'tsup.config.ts': tsup(options.level === 3 ? ['index', 'cli'] : ['index']),
  'turbo.json': compactJson({ extends: ['//'], tags: [`level${options.level}`] }),
  'vitest.config.ts':
    '// @boundaries-ignore the settings of all packages stand once, at the root\n' +
    "export { default } from '../../vitest.package.js';\n",
  'test/golden/README.md':
    '# Golden files\n\nScript, library versions, seed and date of each file.\n',
  'bench/README.md':
    '# Benchmarks\n\nOne line per bench: what it measures and the peer in the same run.\n',
});

/**
 * All files of a new package by path: the eleven entries around `src`, and a start of `src` that
 * compiles and whose test passes.
 */
export function packageFiles(options) {
  const { name, level, description } = options;
  if (level !== 3) {
    return { ...commonFiles(options), 'src/index.ts': `/** ${description}. */\nexport {};\n` };
  }
  const names = `type Config, configSchema, ${camelCase(name)}Config`;
  const exported = `export { ${names} } from './config.js';\n`;
  return {
    ...commonFiles(options),
    [`bin/${name}.js`]: readFileSync(join(root, 'packages', 'report', 'bin', 'report.js'), 'utf8'),
    'src/index.ts': exported,
    'src/cli.ts': cli(options),
    'src/config.ts': config(options),
    'src/config.test.ts': configTest(options),
    'src/presets.ts': presets,
  };
}
