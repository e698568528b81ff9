// node tools/doc-examples.mjs [--only NAME]: compiles and runs every example in doc comments
// (`@example` with a ts block) and every ts block of the package READMEs, against a build as users
// have it: a process each, and most of it would else be loading sources. The ts blocks of docs/ are
// of models and servers that users have: they are compiled, and not run.
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
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPackages } from './builds.mjs';
import {
  docCommentExamples,
  exampleModule,
  expectEqualSource,
  readmeExamples,
} from './example-blocks.mjs';
import { inParallel, run } from './process.mjs';
import { countsLine } from './test-counts.mjs';
import { filesBelow, packages, root } from './workspace.mjs';

const { values: options } = parseArgs({ options: { only: { type: 'string' } } });

/** The blocks of docs/ that are of a package. */
function guideExamples({ manifest }) {
  const pages = filesBelow(join(root, 'docs'), (path) => path.endsWith('.md'));
  return pages.flatMap((path) =>
    readmeExamples(readFileSync(path, 'utf8'))
      .filter(({ code }) => ownerOf(code) === manifest.name)
      .map(({ line, code }) => ({ where: `${relative(root, path)}:${line}`, code, isRun: false })),
  );
}

/** The package of an example: that of its last import, as others only help. */
const ownerOf = (code) => [...code.matchAll(/from '(@lab\/[a-z0-9-]+)/g)].at(-1)?.[1];

/** All examples of a package: `{ where, code, isRun }`. */
function collect(member) {
  const { dir } = member;
  const isSource = (path) => path.endsWith('.ts') && !path.endsWith('.test.ts');
  const files = filesBelow(join(dir, 'src'), isSource);
  const readme = join(dir, 'README.md');
  const at = (path, list) =>
    list.map(({ line, code }) => ({ where: `${relative(root, path)}:${line}`, code, isRun: true }));
  return [
    ...files.flatMap((path) => at(path, docCommentExamples(readFileSync(path, 'utf8')))),
    ...(existsSync(readme) ? at(readme, readmeExamples(readFileSync(readme, 'utf8'))) : []),
    ...guideExamples(member),
  ];
}

/** The exported names of each entry of some packages: `{ '@lab/x/io': [...] }`, by package. */
async function exportedNames(members) {
  const files = members.map(({ dir, manifest }) => [
    manifest.name,
    Object.entries(manifest.exports)
      .filter(([, target]) => target.default)
      .map(([key, target]) => [manifest.name + key.slice(1), join(dir, target.default)]),
  ]);
  // An entry that runs on import, such as a command line, exports nothing that examples need.
  const script = `const exported = {};
    for (const [name, entries] of ${JSON.stringify(files)}) {
      exported[name] = {};
      for (const [entry, file] of entries) {
        exported[name][entry] = Object.keys(await import(file));
      }
    }
    console.log(JSON.stringify(exported));`;
  const argv = ['--input-type=module', '-e', script];
  const { code, stdout, stderr } = await run(process.execPath, argv);
  if (code !== 0) throw new Error(`an entry does not load\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const folderOf = ({ dir }) => join(dir, '.doc-examples');

/** Writes the examples of a package as modules: `{ where, path, dir, isRun }` of each. */
function writeModules(member, exported) {
  const examples = collect(member);
  const folder = folderOf(member);
  rmSync(folder, { recursive: true, force: true });
  if (examples.length === 0) return [];
  mkdirSync(folder);
  writeFileSync(join(folder, 'expect-equal.ts'), expectEqualSource);
  return examples.map(({ where, code, isRun }, index) => {
    const path = join(folder, `example-${index + 1}.ts`);
    writeFileSync(path, exampleModule(code, exported[member.manifest.name]));
    return { where, path, dir: member.dir, isRun };
  });
}

/** Compiles all modules, each to a program beside it; the compiler's lines about each, by path. */
async function typeErrors(examples) {
  const folder = join(root, '.doc-examples');
  mkdirSync(folder, { recursive: true });
  const files = examples.map(({ path }) => path);
  const emit = { noEmit: false, declaration: false, declarationMap: false };
  const compilerOptions = { ...emit, customConditions: [] };
  const tsconfig = { extends: '../tsconfig.base.json', compilerOptions, files };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, stdout } = await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false']);
  rmSync(folder, { recursive: true });
  const lines = stdout.split('\n');
  const found = new Map(
    files.map((path) => [
      path,
      lines.filter((line) => line.startsWith(`${relative(root, path)}(`)),
    ]),
  );
  const isExplained = [...found.values()].some((errors) => errors.length > 0);
  if (code !== 0 && !isExplained) throw new Error(`the examples do not compile\n${stdout}`);
  return found;
}

/** Runs one example in a scratch folder with links to `data` of the package and to `examples`. */
async function runExample({ path, dir }) {
  const cwd = mkdtempSync(join(tmpdir(), 'lab-example-'));
  if (existsSync(join(dir, 'data'))) symlinkSync(join(dir, 'data'), join(cwd, 'data'));
  symlinkSync(join(root, 'examples'), join(cwd, 'examples'));
  const program = path.replace(/\.ts$/, '.js');
  const result = await run(process.execPath, [program], { cwd, timeout: 300_000 });
  rmSync(cwd, { recursive: true });
  return result.code === 0 ? null : result.stderr.trim().split('\n').slice(0, 12).join('\n    ');
}

/** Compiles and runs the examples of some packages, and counts them in `total`. */
async function checkPackages(members) {
  await buildPackages(options.only ? [options.only] : []);
  const exported = await exportedNames(members);
  const examples = members.flatMap((member) => writeModules(member, exported));
  const errors = await typeErrors(examples);
  const broken = new Set();
  await inParallel(examples, async (example) => {
    const wrong = errors.get(example.path);
    const problem = wrong.join('\n    ');
    const failure = problem === '' && example.isRun ? await runExample(example) : problem;
    if (!failure) return;
    broken.add(example.dir);
    total.failed += 1;
    process.stdout.write(`FAILED ${example.where}\n    ${failure}\n`);
  });
  total.passed += examples.length - total.failed;
  // Those of a package with a failure stay, to be looked at.
  for (const member of members) {
    if (!broken.has(member.dir)) rmSync(folderOf(member), { recursive: true, force: true });
  }
}

const total = { passed: 0, failed: 0, skipped: 0 };
try {
  await checkPackages(packages().filter(({ folder }) => !options.only || folder === options.only));
} catch (error) {
  process.stdout.write(`FAILED ${error.message}\n`);
  total.failed += 1;
}
process.stdout.write(`${countsLine(total)}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
