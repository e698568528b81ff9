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
export { type FileSource, openFileSource } from './io/file-source.js';
export { npyHeader, readNpy, writeNpy } from './io/npy.js';
export { readNpz } from './io/npz.js';
export { decodePickle, readPickle } from './io/pickle.js';
export type { PickleValue } from './io/pickle/plain-value.js';
export {
  type ByteRange,
  openSafetensors,
  readSafetensors,
  type SafetensorsContent,
  type SafetensorsFile,
  writeSafetensors,
} from './io/safetensors.js';
export type { SafetensorsHeader, TensorEntry } from './io/safetensors-header.js';
