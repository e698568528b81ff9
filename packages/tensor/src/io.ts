export type { ArrayDtype, ArrayRecord, TypedArray } from './io/array-record.js';
export {
  type Checkpoint,
  hasCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from './io/checkpoint.js';
export type { WritableArray } from './io/checked-record.js';
export {
  copySafetensors,
  type CopySafetensorsOptions,
  type HeaderTexts,
  type TensorChange,
} from './io/copy-safetensors.js';
export { encodeNumbers, numbersOfBytes } from './io/dtype.js';
export {
  type ByteSource,
  type FileSource,
  memorySource,
  openFileSource,
} from './io/file-source.js';
export { assertNoLfsPointer } from './io/git-lfs.js';
export { npyHeader, readNpy, writeNpy } from './io/npy.js';
export { readNpz } from './io/npz.js';
export { decodePickle, readPickle } from './io/pickle.js';
export type { PickleValue } from './io/pickle/plain-value.js';
export {
  type ByteRange,
  openSafetensors,
  openSafetensorsSource,
  readSafetensors,
  type SafetensorsContent,
  type SafetensorsFile,
  writeSafetensors,
} from './io/safetensors.js';
export {
  type SafetensorsHeader,
  safetensorsPrefixBytes,
  type TensorEntry,
} from './io/safetensors-header.js';
