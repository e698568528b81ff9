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

async function exportedNames(dir) {
  const script = `import(${JSON.stringify(join(dir, 'src/index.ts'))})
    .then((all) => console.log(JSON.stringify(Object.keys(all))))`;
  const { code, stdout, stderr } = await run(process.execPath, [...fromSources(), '-e', script]);
  if (code !== 0) throw new Error(`${relative(root, dir)}/src/index.ts does not load\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

function writeModules({ dir, manifest }, examples, exported) {
  const folder = join(dir, '.doc-examples');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const tsconfig = { extends: '../../../tsconfig.base.json', include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  writeFileSync(join(folder, 'expect-equal.ts'), expectEqualSource);
  return examples.map((example, index) => {
    const path = join(folder, `example-${index + 1}.ts`);
    writeFileSync(path, exampleModule(example.code, { packageName: manifest.name, exported }));
    return { ...example, path };
  });
}

/** Runs one example in a scratch folder in which `data` is the data of the package. */
async function runExample({ path }, dir) {
  const cwd = mkdtempSync(join(tmpdir(), 'lab-example-'));
  if (existsSync(join(dir, 'data'))) symlinkSync(join(dir, 'data'), join(cwd, 'data'));
  const result = await run(process.execPath, [...fromSources(), path], { cwd, timeout: 120_000 });
  rmSync(cwd, { recursive: true });
  return result.code === 0 ? null : result.stderr.trim().split('\n').slice(0, 12).join('\n    ');
}

async function checkPackage(member) {
  const examples = collect(member);
  if (examples.length === 0) return { passed: 0, failed: 0 };
  const written = writeModules(member, examples, await exportedNames(member.dir));
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
