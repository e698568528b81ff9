/** What commands that look inside of a model share (subpath `@lab/transformer/commands`). */
export {
  backendOption,
  bytesOf,
  chosenBackend,
  residencyOf,
  residencyOptions,
  threadsOption,
} from './commands/model-options.js';
export {
  formatFlags,
  loadOptions,
  modelFlags,
  modelFolder,
  type OpenedModel,
  openModel,
  promptFlags,
  promptFormatOf,
  readPrompts,
} from './commands/prompt-options.js';
