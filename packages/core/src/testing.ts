/** Tools for tests (subpath `@lab/core/testing`); importing it registers `toBeClose`. */
export { changeError, relativeError } from './testing/golden-error.js';
export {
  type ProcessOptions,
  type ProcessResult,
  type ProcessSignal,
  runProcess,
} from './testing/process.js';
export { killAtLine, type KillPlace, wholeLines } from './testing/kill-at-line.js';
export { programArguments, runProgram } from './testing/program.js';
export { type ListeningProcess, startListening } from './testing/listening-process.js';
export { requireCondition, requireProgram } from './testing/require-program.js';
export { captureOutput, type CapturedIo, type Printed } from './testing/capture-output.js';
export { cpuMilliseconds } from './testing/cpu-time.js';
export { hasSmallDisk, smallDiskMount } from './testing/small-disk.js';
export { temporaryFolder } from './testing/temporary-folder.js';
export { type CloseOptions, type MatchResult, toBeClose } from './testing/to-be-close.js';
