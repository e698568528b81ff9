/**
 * Documents as the blocks of a prompt.
 */
import type { DocumentLibrary } from './library.js';
import type { LoongRecord } from './record.js';
import { subtaskOf } from './tasks.js';

/** A document in a prompt. */
export interface DocumentBlock {
  /** As the record names it. */
  readonly name: string;
  /** Place in the record's list, from 1: a judgment is called by it, whatever is left out. */
  readonly position: number;
  /** Its heading alone, e.g. `《判决文书7》`. */
  readonly heading: string;
  /** Heading and text, with two line feeds at the end. */
  readonly text: string;
}

/** How blocks are made. */
export interface BlockOptions {
  /**
   * Leaves the verdict out of judgments whose verdict is asked for.
   *
   * Deviation: the released code looks for the phrase in the instruction, where no record has it,
   * so that the verdict stays; mode `official` does the same.
   */
  readonly verdictFix: boolean;
}

/**
 * The blocks of a record in the order of its list; null for a document that the library lacks.
 *
 * Financial reports are headed by `《title》`, papers by their title, judgments by the label
 * `《判决文书k》` with their place k, which gold answers refer to.
 */
export function blocksOf(
  record: LoongRecord,
  library: DocumentLibrary,
  { verdictFix }: BlockOptions,
): (DocumentBlock | null)[] {
  const isVerdictAsked =
    record.type === 'legal' &&
    (verdictFix
      ? subtaskOf(record) === 'link-the-links'
      : record.instruction.includes('若干份判决结果'));
  return record.doc.map((name, index) => {
    const document = library.find(record, name);
    if (document === undefined) return null;
    const position = index + 1;
    const text = isVerdictAsked ? (document.facts ?? document.text) : document.text;
    const heading = headingOf(record.type, document.title, position);
    return { name, position, heading, text: `${heading}\n${text.trimEnd()}\n\n` };
  });
}

function headingOf(type: string, title: string, position: number): string {
  if (type === 'legal') return `《判决文书${position}》`;
  return type === 'paper' ? title : `《${title}》`;
}
