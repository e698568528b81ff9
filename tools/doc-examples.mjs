// node tools/doc-examples.mjs [--only NAME]: compiles and runs every example in doc comments
// (`@example` with a ts block) and every ts block of the package READMEs, from sources.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import {
  docCommentExamples,
  exampleModule,
  expectEqualSource,
  readmeExamples,
} from './example-blocks.mjs';
import { fromSources, run } from './process.mjs';
import { countsLine } from './test-counts.mjs';
import { filesBelow, packages, root } from './workspace.mjs';

const { values: options } = parseArgs({ options: { only: { type: 'string' } } });

/** All examples of a package: `{ where, code }`. */
function collect({ dir }) {
  const isSource = (path) => path.endsWith('.ts') && !path.endsWith('.test.ts');
  const files = filesBelow(join(dir, 'src'), isSource);
  const readme = join(dir, 'README.md');
  const at = (path, list) =>
    list.map(({ line, code }) => ({ where: `${relative(root, path)}:${line}`, code }));
  return [
    ...files.flatMap((path) => at(path, docCommentExamples(readFileSync(path, 'utf8')))),
    ...(existsSync(readme) ? at(readme, readmeExamples(readFileSync(readme, 'utf8'))) : []),
  ];
}

/** The exported names of each entry of a package: `{ '@lab/x/io': [...] }`. */
async function exportedNames({ dir, manifest }) {
  const entries = Object.entries(manifest.exports).filter(([, target]) => target['@lab/source']);
  const files = entries.map(([key, target]) => [
    manifest.name + key.slice(1),
    join(dir, target['@lab/source']),
  ]);
  // An entry that runs on import, such as a command line, exports nothing that examples need.
  const script = `const names = {};
    for (const [name, file] of ${JSON.stringify(files)}) {
      names[name] = Object.keys(await import(file));
    }
    console.log(JSON.stringify(names));`;
  const { code, stdout, stderr } = await run(process.execPath, [
    ...fromSources(),
    '--input-type=module',
    '-e',
    script,
  ]);
  if (code !== 0) throw new Error(`an entry does not load\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

function writeModules({ dir }, examples, exported) {
  const folder = join(dir, '.doc-examples');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const tsconfig = { extends: '../../../tsconfig.base.json', include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  writeFileSync(join(folder, 'expect-equal.ts'), expectEqualSource);
  return examples.map((example, index) => {
    const path = join(folder, `example-${index + 1}.ts`);
    writeFileSync(path, exampleModule(example.code, exported));
    return { ...example, path };
  });
}

/** Runs one example in a scratch folder with links to `data` of the package and to `examples`. */
async function runExample({ path }, dir) {
  const cwd = mkdtempSync(join(tmpdir(), 'lab-example-'));
  if (existsSync(join(dir, 'data'))) symlinkSync(join(dir, 'data'), join(cwd, 'data'));
  symlinkSync(join(root, 'examples'), join(cwd, 'examples'));
  const result = await run(process.execPath, [...fromSources(), path], { cwd, timeout: 120_000 });
  rmSync(cwd, { recursive: true });
  return result.code === 0 ? null : result.stderr.trim().split('\n').slice(0, 12).join('\n    ');
}

async function checkPackage(member) {
  const examples = collect(member);
  if (examples.length === 0) return { passed: 0, failed: 0 };
  const written = writeModules(member, examples, await exportedNames(member));
  const folder = join(member.dir, '.doc-examples');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = await run(process.execPath, [tsc, '-p', folder], { cwd: folder });
  const counts = { passed: 0, failed: 0 };
  for (const example of written) {
    const name = basename(example.path);
    const typeErrors = types.stdout.split('\n').filter((line) => line.startsWith(`${name}(`));
    const failure =
      typeErrors.length > 0 ? typeErrors.join('\n    ') : await runExample(example, member.dir);
    counts[failure ? 'failed' : 'passed'] += 1;
    if (failure) process.stdout.write(`FAILED ${example.where}\n    ${failure}\n`);
  }
  if (counts.failed === 0) rmSync(folder, { recursive: true });
  return counts;
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const member of packages()) {
  if (options.only && member.folder !== options.only) continue;
  try {
    const { passed, failed } = await checkPackage(member);
    total.passed += passed;
    total.failed += failed;
  } catch (error) {
    process.stdout.write(`FAILED ${member.manifest.name}: ${error.message}\n`);
    total.failed += 1;
  }
}
process.stdout.write(`${countsLine(total)}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
