/** `lab-tensor setup` and `lab-tensor remove`: the backend tensorflow on today's TensorFlow. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BackendError } from '@lab/core';
import type { CliCommand, CliContext } from '@lab/core/cli';
import { selectBackend } from '../backend.js';
import type { NativeBuild } from '../native/build.js';
import { nativeFolder, removeSetup, type SetupRecord } from '../native/places.js';
import { setUp, type SetUpOptions, type SetUpReport } from '../native/set-up.js';

/** The verb `setup`. */
export const setupCommand: CliCommand = {
  name: 'setup',
  summary: 'Compile the backend tensorflow, with our kernels, for this machine.',
  options: [
    { flags: '--gpu', summary: 'a TensorFlow for CUDA, on a GPU', kind: 'boolean' },
    { flags: '--tensorflow <dir>', summary: 'folder of the package tensorflow' },
    { flags: '--python <path>', summary: 'a Python with TensorFlow', unit: 'default python3' },
    { flags: '--compiler <path>', summary: 'the C++ compiler', unit: 'default $CXX, else g++' },
  ],
  example: 'lab-tensor setup',
  run: async (context, { options }) => {
    const isGpu = options['gpu'] === true;
    const named = ['tensorflow', 'python', 'compiler'].filter(
      (name) => typeof options[name] === 'string',
    );
    const given = Object.fromEntries(named.map((name) => [name, options[name] as string]));
    const settings: SetUpOptions = {
      ...{ isGpu, folder: process.cwd(), ...given },
      onStep: (text) => context.progress.update(text),
    };
    const report = await setUp(settings);
    context.progress.update('testing it');
    const backend = await selectBackend(isGpu ? 'tensorflow-gpu' : 'tensorflow');
    context.progress.done();
    const { record, build, isReused } = report;
    context.printJson({ status: 'success', ...record, build, isReused, backend });
    print(
      context,
      report,
      isReused ? 'not needed, as nothing has changed' : await compilerVersion(record.compiler),
    );
  },
};

async function compilerVersion(compiler: string): Promise<string> {
  const { stdout } = await promisify(execFile)(compiler, ['--version']);
  return stdout.split('\n')[0] ?? compiler;
}

/** The operation that a GPU needs, and why our kernels cannot run there when they cannot. */
function operationText({ isCuda, nvcc }: SetupRecord, { operations }: NativeBuild): string {
  if (operations === null) return 'none';
  if (!isCuda) return operations;
  return `${operations}, ${nvcc ? `CUDA by ${nvcc}` : 'without CUDA: there is no nvcc'}`;
}

function print(context: CliContext, { record, tensorflow, build }: SetUpReport, compiler: string) {
  const kind = tensorflow.isCuda ? ' for CUDA' : '';
  const lines = [
    ['tensorflow', `${tensorflow.version}${kind}, ${tensorflow.folder}`],
    ['tfjs-node', record.tfjsNode],
    ['compiler', compiler],
    ['kernels', build.kernels],
    ['binding', build.binding ?? 'none'],
    ['operation', operationText(record, build)],
    ['self-test', 'a product and a gather gradient are right'],
  ];
  for (const [name, value] of lines) context.print(`${name!.padEnd(10)} ${value}\n`);
  context.print(
    '\nprograms take the backend tensorflow from now on; lab-tensor remove undoes it\n',
  );
}

/** The verb `remove`. */
export const removeCommand: CliCommand = {
  name: 'remove',
  summary: 'Remove what lab-tensor setup has built.',
  options: [],
  example: 'lab-tensor remove',
  run: (context) => {
    const folder = nativeFolder();
    const wasThere = remove(folder);
    context.printJson({ status: 'success', removed: wasThere, folder });
    context.print(wasThere ? `removed ${folder}\n` : `nothing to remove in ${folder}\n`);
    return Promise.resolve(0);
  },
};

function remove(folder: string): boolean {
  try {
    return removeSetup();
  } catch (cause) {
    throw new BackendError(`tensor: ${folder} cannot be removed.`, {
      cause,
      help: 'Remove it by hand, with the rights of its owner.',
    });
  }
}
