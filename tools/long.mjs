// npm run long -- --list | --only NAME: the checks that take too long for every change. Each run
// adds commit, machine, command and result to docs/long-checks.json; a stopped check resumes.
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled } from './install.mjs';
import { compactResult } from './long-record.mjs';
import { codeDigest, readLongChecks, stateOf } from './long-registry.mjs';
import { run } from './process.mjs';
import { readJson, root } from './workspace.mjs';

const limitMs = 2 * 3600 * 1000;
const recordsPath = join(root, 'docs', 'long-checks.json');
const readRecords = () => (existsSync(recordsPath) ? readJson(recordsPath) : []);
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

/** The last line of the output, paths from the repository on: as JSON, or as text. */
function lastLine(text) {
  const line = (text.trim().split('\n').at(-1) ?? '').replaceAll(`${root}/`, '');
  try {
    return JSON.parse(line);
  } catch {
    return line.slice(0, 500);
  }
}

function appendRecord(record) {
  const temporary = `${recordsPath}.new`;
  writeFileSync(temporary, `${JSON.stringify([...readRecords(), record], null, 2)}\n`);
  renameSync(temporary, recordsPath);
}

function machineText() {
  const memory = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model ?? 'unknown';
  return `${cpus().length} x ${model}, ${memory} GB, Node ${process.versions.node}`;
}

async function runCheck(check) {
  const started = new Date();
  const code = codeDigest(check.codePaths);
  const [program, ...args] = check.command;
  process.stderr.write(`long check ${check.name}: ${check.command.join(' ')}\n`);
  const result = await run(program === 'node' ? process.execPath : program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMs,
    killSignal: 'SIGTERM',
  });
  const seconds = Math.round((Date.now() - started.getTime()) / 1000);
  const stopped = result.signal === 'SIGTERM' || result.code === 143 || result.code === 130;
  const record = {
    name: check.name,
    status: stopped ? 'interrupted' : result.code === 0 ? 'success' : 'error',
    date: started.toISOString().slice(0, 10),
    commit: git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') ? '+' : ''),
    code,
    machine: machineText(),
    command: check.command.join(' '),
    seconds,
    result: compactResult(lastLine(result.stdout)),
  };
  appendRecord(record);
  process.stdout.write(`${JSON.stringify(record)}\n`);
  return record.status === 'success' ? 0 : result.code || 1;
}

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, list: { type: 'boolean' } },
});
await ensureInstalled();
const checks = await readLongChecks();
const chosen = checks.find((check) => check.name === options.only);
if (options.list) {
  for (const check of checks) {
    const state = stateOf(check, readRecords(), codeDigest(check.codePaths));
    process.stdout.write(`${state.padEnd(12)} ${check.name.padEnd(28)} ${check.summary}\n`);
  }
} else if (chosen) {
  process.exitCode = await runCheck(chosen);
} else {
  const names = checks.map((check) => check.name).join(', ');
  process.stderr.write(
    `error: ${options.only ? `no long check is called ${options.only}` : 'no check named'}\n` +
      `  help: npm run long -- --list, or --only with one of: ${names || '(none declared yet)'}\n`,
  );
  process.exitCode = 2;
}
