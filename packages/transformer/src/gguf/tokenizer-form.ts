/**
 * What a tokenizer.json does, in one form for files that say the same in several ways.
 */
import type { Step } from './pre-tokenizers.js';

/** Parts of a tokenizer, such that equal ones are equal texts. */
export interface TokenizerForm {
  readonly normalizer: string;
  readonly preTokenizer: string;
  readonly decoder: string;
  readonly ignoresMerges: boolean;
  readonly fallsBack: boolean;
  readonly fusesUnknown: boolean;
  readonly unknown: string | null;
  /** Tokens that are added before and behind a text. */
  readonly begin: readonly string[];
  readonly end: readonly string[];
}

type Content = Readonly<Record<string, unknown>>;

const listNames = ['normalizers', 'pretokenizers', 'decoders', 'processors'];

/** Steps one after the other; a sequence of one is that one. */
function stepsOf(part: unknown): Step[] {
  if (typeof part !== 'object' || part === null) return [];
  const own = part as Step;
  if (own['type'] !== 'Sequence') return [own];
  const list = listNames.map((name) => own[name]).find(Array.isArray) ?? [];
  return (list as unknown[]).flatMap(stepsOf);
}

/** Fields that move no token. */
const idle = new Set(['trim_offsets', 'invert']);

function stepText(step: Step): string {
  const fields = Object.entries(step)
    .filter(([name, value]) => !idle.has(name) && value !== null)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const inverted = step['invert'] === true ? { inverted: true } : {};
  return JSON.stringify({ ...Object.fromEntries(fields), ...inverted });
}

const SPACES = stepText({ type: 'Replace', pattern: { String: ' ' }, content: '\u2581' });
const SPACE_SPLIT = stepText({
  ...{ type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
});

/** Parts of a tokenizer in one form. */
export function tokenizerForm(content: Content): TokenizerForm {
  const model = (content['model'] ?? {}) as Content;
  const normalizer = stepsOf(content['normalizer']).map(stepText);
  const hasNoSpaces = normalizer.at(-1) === SPACES;
  const before = stepsOf(content['pre_tokenizer'])
    .map(stepText)
    // Where spaces are other characters by then, there is nothing to split at.
    .filter((step) => !(hasNoSpaces && step === SPACE_SPLIT));
  const decoder = stepsOf(content['decoder']);
  const isBytes = decoder.length === 1 && decoder[0]!['type'] === 'ByteLevel';
  return {
    normalizer: normalizer.join(', '),
    preTokenizer: before.join(', '),
    decoder: isBytes ? 'ByteLevel' : decoder.map(stepText).join(', '),
    ignoresMerges: model['ignore_merges'] === true,
    fallsBack: model['byte_fallback'] === true,
    fusesUnknown: model['fuse_unk'] === true,
    unknown: typeof model['unk_token'] === 'string' ? model['unk_token'] : null,
    ...endsOf(content['post_processor']),
  };
}

/** Tokens around a text, of the template that there is. */
function endsOf(part: unknown): { begin: readonly string[]; end: readonly string[] } {
  const templates = stepsOf(part).filter(({ type }) => type === 'TemplateProcessing');
  const pieces = (templates[0]?.['single'] ?? []) as Content[];
  const at = pieces.findIndex((piece) => 'Sequence' in piece);
  const tokens = (some: readonly Content[]) =>
    some.map((piece) => String((piece['SpecialToken'] as Content)['id']));
  return { begin: tokens(pieces.slice(0, Math.max(at, 0))), end: tokens(pieces.slice(at + 1)) };
}
