// node tools/readme-tables.mjs [--check]: writes what is generated into each package: the option
// table, the list of deviations and the benchmark tables between marks in README.md, and
// config.schema.json. With --check nothing is written and every difference is a failure.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { benchmarkTables } from './benchmark-table.mjs';
import { deviationList, deviationsOf, replaceBetween } from './generated-text.mjs';
import { ensureInstalled } from './install.mjs';
import { fromSources, runForeground } from './process.mjs';
import { filesBelow, packages, root } from './workspace.mjs';

const check = process.argv.includes('--check');

/** Files that differ from what is generated, and marks that are missing. */
const problems = [];

function update(path, text) {
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (old === text) return;
  if (check) problems.push(`${relative(root, path)} is not what is generated`);
  else {
    writeFileSync(path, text);
    process.stdout.write(`wrote ${relative(root, path)}\n`);
  }
}

/** The config definition that `src/config.ts` of a package exports, or null. */
async function readDefinition(dir) {
  const path = join(dir, 'src', 'config.ts');
  if (!existsSync(path)) return null;
  const all = Object.values(await import(pathToFileURL(path).href));
  return all.find((value) => value?.schema && value.modes && value.presets) ?? null;
}

function listDeviations(dir) {
  const isSource = (path) => path.endsWith('.ts') && !path.endsWith('.test.ts');
  return deviationList(
    filesBelow(join(dir, 'src'), isSource).map((path) => ({
      file: relative(dir, path),
      deviations: deviationsOf(readFileSync(path, 'utf8')),
    })),
  );
}

function benchmarksOf(dir) {
  const paths = filesBelow(join(dir, 'bench', 'results'), (path) => path.endsWith('.json'));
  return paths.map((path) => JSON.parse(readFileSync(path, 'utf8')));
}

function fill(readme, sections) {
  let text = readFileSync(readme, 'utf8');
  for (const [name, { required, content }] of Object.entries(sections)) {
    const next = replaceBetween(text, name, content);
    if (next !== null) text = next;
    else if (required) {
      problems.push(
        `${relative(root, readme)} lacks <!-- ${name}: generated --> ... <!-- /${name} -->`,
      );
    }
  }
  update(readme, text);
}

async function generate({ dir }, docs) {
  const readme = join(dir, 'README.md');
  const definition = await readDefinition(dir);
  const deviations = listDeviations(dir);
  const records = benchmarksOf(dir);
  if (!existsSync(readme)) {
    problems.push(`${relative(root, readme)} does not exist`);
  } else {
    fill(readme, {
      options: {
        required: definition !== null,
        content: definition ? docs.configTable(definition) : '',
      },
      deviations: { required: definition !== null, content: deviations },
      benchmarks: { required: records.length > 0, content: benchmarkTables(records) },
    });
  }
  if (!definition) return;
  const schema = JSON.stringify(docs.configJsonSchema(definition), null, 2);
  update(join(dir, 'config.schema.json'), `${schema}\n`);
}

if (!process.execArgv.includes('--conditions=@lab/source')) {
  await ensureInstalled();
  const self = fileURLToPath(import.meta.url);
  const { code } = await runForeground(process.execPath, [
    ...fromSources(),
    self,
    ...process.argv.slice(2),
  ]);
  process.exitCode = code;
} else {
  const docs = await import(pathToFileURL(join(root, 'packages', 'core', 'src', 'index.ts')).href);
  for (const member of packages()) await generate(member, docs);
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length > 0) {
    process.stdout.write('  help: node tools/readme-tables.mjs writes the files\n');
    process.exitCode = 1;
  }
}
