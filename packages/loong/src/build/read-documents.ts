/**
 * Documents of a folder: text, Markdown, HTML, PDF, Word and tables.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { BackendError, DataError, type OnDefect, throwDefect } from '@lab/core';
import { readCsv } from '@lab/core/csv';
import type { LoongDocument } from '../library.js';
import { decodeText } from './decode-text.js';
import { htmlText } from './html-text.js';

/** A document of your own, with its language. */
export interface OwnDocument extends LoongDocument {
  readonly type: string;
  readonly language: 'en' | 'zh';
}

type Reader = (path: string) => Promise<string>;

const plain: Reader = async (path) => decodeText(readFileSync(path), path);

const readers: Readonly<Record<string, Reader>> = {
  '.txt': plain,
  '.md': plain,
  '.markdown': plain,
  '.html': async (path) => htmlText(await plain(path)),
  '.htm': async (path) => htmlText(await plain(path)),
  '.docx': wordText,
  '.pdf': pdfText,
  '.csv': tableText,
  '.tsv': tableText,
};

/** Endings of files that are read. */
export const documentEndings: readonly string[] = Object.keys(readers);

/**
 * The documents of a folder and its folders, by path. The folder directly below is the domain of a
 * document, `own` where it stands at the top; the language is told by the script.
 *
 * @param onDefect - called for each file that cannot be read. Default: throw.
 * @throws {DataError} for a folder without documents.
 * @throws {BackendError} for PDF files without the package that reads them.
 */
export async function readOwnDocuments(
  dir: string,
  onDefect: OnDefect = throwDefect,
): Promise<OwnDocument[]> {
  const documents: OwnDocument[] = [];
  const names = new Map<string, string>();
  for (const path of filesOf(dir)) {
    const document = await readOwnDocument(dir, path, onDefect);
    if (document === null) continue;
    const other = names.get(document.name);
    if (other === undefined) {
      names.set(document.name, path);
      documents.push(document);
    } else {
      const what = `${path}: ${other} has the name "${document.name}" too.`;
      onDefect(new DataError(what, { file: path, help: 'give each document another name.' }));
    }
  }
  if (documents.length > 0) return documents;
  throw new DataError(`${dir}: no documents were found.`, {
    file: dir,
    help: `files that are read end in ${documentEndings.join(', ')}.`,
  });
}

/** Endings of files in a folder that are not read, with how many there are of each. */
export function unreadEndings(dir: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const ending = extname(entry.name).toLowerCase();
    if (!entry.isFile() || entry.name.startsWith('.') || ending in readers) continue;
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return counts;
}

function filesOf(dir: string): string[] {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new DataError(`${dir}: no such folder.`, {
      file: dir,
      help: 'give the folder of your documents with --docs.',
    });
  }
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => extname(name).toLowerCase() in readers)
    .sort()
    .map((name) => join(dir, name));
}

async function readOwnDocument(
  dir: string,
  path: string,
  onDefect: OnDefect,
): Promise<OwnDocument | null> {
  const ending = extname(path);
  try {
    const raw = await readers[ending.toLowerCase()]!(path);
    const text = raw.replaceAll('\r\n', '\n').trim();
    if (text === '') {
      const help = 'a PDF of pictures has no text: give one with a text layer, or remove it.';
      throw new DataError(`${path}: the file holds no text.`, { file: path, help });
    }
    const within = relative(dir, path).split(/[\\/]/);
    const name = (within.at(-1) ?? path).slice(0, -ending.length);
    const type = within.length > 1 ? within[0]! : 'own';
    return { name, title: name, text, type, language: languageOf(text) };
  } catch (error) {
    if (error instanceof BackendError) throw error;
    if (error instanceof DataError) onDefect(error);
    else {
      const why = error instanceof Error ? error.message : String(error);
      const what = `${path}: cannot be read (${why.slice(0, 160)}).`;
      onDefect(new DataError(what, { file: path, help: 'is it damaged, or of another kind?' }));
    }
    return null;
  }
}

/** Share of Chinese characters among letters from which a text is Chinese. */
const chineseShare = 0.3;

/** The language of a text by its script. */
export function languageOf(text: string): 'en' | 'zh' {
  const some = text.slice(0, 20_000);
  const chinese = some.match(/\p{Script=Han}/gu)?.length ?? 0;
  const letters = some.match(/\p{L}/gu)?.length ?? 0;
  return letters > 0 && chinese / letters >= chineseShare ? 'zh' : 'en';
}

/** A table of attributes and values as Markdown, so that a model reads it as a document. */
async function tableText(path: string): Promise<string> {
  const lines: string[] = [];
  await readCsv(path, { header: false }, (row) => {
    lines.push(`| ${row.map((cell) => cell.replaceAll('|', '/').trim()).join(' | ')} |`);
    if (lines.length === 1) lines.push(`|${row.map(() => ' --- |').join('')}`);
  });
  return lines.join('\n');
}

async function wordText(path: string): Promise<string> {
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.convertToHtml({ path });
  return htmlText(value);
}

async function pdfText(path: string): Promise<string> {
  let pdf: typeof import('pdfjs-dist');
  try {
    pdf = await import('pdfjs-dist/legacy/build/pdf.mjs');
  } catch (cause) {
    throw new BackendError(`${path}: PDF files need the package pdfjs-dist.`, {
      help: 'npm install pdfjs-dist@5',
      cause,
    });
  }
  const data = new Uint8Array(readFileSync(path));
  const task = pdf.getDocument({ data, verbosity: 0, isEvalSupported: false });
  const document = await task.promise;
  try {
    const pages: string[] = [];
    for (let number = 1; number <= document.numPages; number += 1) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''));
      pages.push(text.join('').trim());
    }
    return pages.join('\n\n');
  } finally {
    await task.destroy();
  }
}
