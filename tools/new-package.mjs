// node tools/new-package.mjs NAME --level 0|1|2|3 --description TEXT [--into DIR]: makes the
// entries that every package has, and a changeset. A method (level 3) also gets a command, config
// and presets.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { packageFiles } from './package-templates.mjs';
import { root } from './workspace.mjs';

/** What is wrong with the arguments, or null. */
function problem({ name, level, description }) {
  if (!name || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) return 'NAME must be in kebab-case';
  if (!['0', '1', '2', '3'].includes(level)) return '--level must be 0, 1, 2 or 3';
  if (!description || /['\n]|\.$/.test(description)) {
    return '--description must be one sentence without apostrophe and final full stop';
  }
  return null;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: 'string', default: '3' },
    description: { type: 'string' },
    into: { type: 'string', default: root },
  },
});
const [name] = positionals;
const dir = join(values.into, 'packages', name ?? '');
const wrong =
  problem({ ...values, name }) ??
  (existsSync(dir) ? `${relative(values.into, dir)} exists already` : null);
if (wrong) {
  process.stderr.write(
    `error: ${wrong}\n` +
      '  help: node tools/new-package.mjs weak-probe --level 3 --description "Read ..."\n',
  );
  process.exitCode = 2;
} else {
  const files = packageFiles({
    name,
    level: Number(values.level),
    description: values.description,
  });
  const all = Object.entries(files).map(([path, text]) => [join(dir, path), text]);
  const changeset = `---\n'@lab/${name}': minor\n---\n\n${values.description}.\n`;
  all.push([join(values.into, '.changeset', `${name}-first.md`), changeset]);
  for (const [path, text] of all) {
    mkdirSync(dirname(path), { recursive: true });
    // A command can be started by itself.
    writeFileSync(path, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
    process.stdout.write(`${relative(values.into, path)}\n`);
  }
  process.stdout.write('next: pnpm install, then see "A new package" in CONTRIBUTING.md\n');
}
