import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefects } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { createScriptedClient } from '@lab/llm';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { parseValue, readFacts, writeFacts } from './fact.js';
import { labelledFacts, proposeFacts, readDecidedFacts } from './propose.js';
import { readOwnDocuments, unreadEndings } from './read-documents.js';
import { tableFacts } from './table-facts.js';

/** A PDF of one page with a line of text. */
function onePagePdf(text: string): string {
  const stream = `BT /F1 18 Tf 20 100 Td (${text}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R ' +
      '/Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let pdf = '%PDF-1.4\n';
  const offsets = objects.map((body, index) => {
    const at = pdf.length;
    pdf += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return at;
  });
  const xref = pdf.length;
  const rows = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  const trailer = `trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF`;
  return `${pdf}xref\n0 6\n0000000000 65535 f \n${rows}${trailer}`;
}

/** A Word file of a paragraph and a table of one row. */
function wordFile(paragraph: string, row: readonly string[]): Buffer {
  const schemas = 'http://schemas.openxmlformats.org';
  const run = (text: string) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`;
  const cells = row.map((text) => `<w:tc>${run(text)}</w:tc>`).join('');
  const body = `${run(paragraph)}<w:tbl><w:tr>${cells}</w:tr></w:tbl>`;
  const kind = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
  const parts = {
    '[Content_Types].xml':
      `<Types xmlns="${schemas}/package/2006/content-types">` +
      `<Override PartName="/word/document.xml" ContentType="${kind}"/></Types>`,
    '_rels/.rels':
      `<Relationships xmlns="${schemas}/package/2006/relationships"><Relationship Id="r1" ` +
      `Type="${schemas}/officeDocument/2006/relationships/officeDocument" ` +
      'Target="word/document.xml"/></Relationships>',
    'word/document.xml':
      `<w:document xmlns:w="${schemas}/wordprocessingml/2006/main">` +
      `<w:body>${body}</w:body></w:document>`,
  };
  const files = Object.entries(parts).map(([name, text]) => [name, strToU8(text)]);
  return Buffer.from(zipSync(Object.fromEntries(files)));
}

describe('readOwnDocuments', () => {
  it('reads text, Markdown, HTML, PDF, Word and tables', async () => {
    const dir = temporaryFolder();
    mkdirSync(join(dir, 'reports'));
    const write = (name: string, data: string | Buffer) => writeFileSync(join(dir, name), data);
    write('plain.txt', '\ufeffHello\r\nworld');
    write('zh.md', '# 标题\n\n这是一个中文文档。');
    write(
      'reports/page.html',
      '<script>bad()</script><h1>Title</h1><p>Some <b>text</b>.</p>' +
        '<table><tr><th>item</th><th>value</th></tr><tr><td>Staff</td><td>1,200</td></tr></table>',
    );
    write('reports/one.pdf', onePagePdf('Revenue was 42 million'));
    write('reports/two.docx', wordFile('A memo.', ['Staff', '77']));
    write('values.csv', 'item,value\nStaff,12\nRevenue,"1,000"\n');
    write('ignored.bin', 'x');
    const documents = await readOwnDocuments(dir);
    const byName = Object.fromEntries(documents.map((one) => [one.name, one]));
    expect(Object.keys(byName).sort()).toEqual(['one', 'page', 'plain', 'two', 'values', 'zh']);
    expect(byName['plain']).toMatchObject({ text: 'Hello\nworld', type: 'own', language: 'en' });
    expect(byName['zh']).toMatchObject({ language: 'zh' });
    expect(byName['page']!.type).toBe('reports');
    expect(byName['page']!.text).toContain('Title\n\nSome text.');
    expect(byName['page']!.text).not.toContain('bad');
    expect(tableFacts('page', byName['page']!.text)).toMatchObject([
      { attribute: 'Staff', value: 1200 },
    ]);
    expect(byName['one']!.text).toBe('Revenue was 42 million');
    expect(byName['two']!.text).toContain('A memo.');
    expect(tableFacts('two', byName['two']!.text)).toMatchObject([
      { attribute: 'Staff', value: 77 },
    ]);
    expect(tableFacts('values', byName['values']!.text)).toMatchObject([
      { attribute: 'Staff', value: 12 },
      { attribute: 'Revenue', value: 1000 },
    ]);
  });

  it('tells every file that cannot be read', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'a.docx'), 'no zip');
    writeFileSync(join(dir, 'b.pdf'), 'no pdf');
    writeFileSync(join(dir, 'c.txt'), '  ');
    writeFileSync(join(dir, 'd.txt'), 'text');
    writeFileSync(join(dir, 'd.md'), 'text');
    const collected = collectDefects();
    expect(await readOwnDocuments(dir, collected.onDefect)).toHaveLength(1);
    const messages = collected.defects.map(({ message }) => message).join('\n');
    expect(messages).toMatch(/a\.docx: cannot be read/);
    expect(messages).toMatch(/b\.pdf: cannot be read/);
    expect(messages).toMatch(/c\.txt: the file holds no text/);
    expect(messages).toMatch(/has the name "d" too/);
    await expect(readOwnDocuments(join(dir, 'x'))).rejects.toThrow(/no such folder/);
    await expect(readOwnDocuments(temporaryFolder())).rejects.toThrow(/no documents/);
  });
});

describe('encodings', () => {
  const written = (name: string, data: Uint8Array): string => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, name), data);
    return dir;
  };
  /** 员工 (staff) in GB18030. */
  const chinese = [0xd4, 0xb1, 0xb9, 0xa4];

  it('are UTF-8, UTF-16 with its mark, and what a page names', async () => {
    const utf16 = Buffer.from('\ufeffStaff: 7 员工', 'utf16le');
    const page = '<html><head><meta charset="gb18030"></head><body>';
    for (const [name, data] of [
      ['a.txt', utf16],
      ['b.txt', Buffer.from(utf16).swap16()],
      ['c.html', Buffer.concat([Buffer.from(`${page}Staff: 7 `), Uint8Array.from(chinese)])],
    ] as const) {
      const [document] = await readOwnDocuments(written(name, data));
      expect(document!.text).toBe('Staff: 7 员工');
    }
  });

  it('that would be read wrong are told, never guessed', async () => {
    for (const name of ['a.txt', 'b.html', 'c.md']) {
      const dir = written(name, Uint8Array.from(chinese));
      await expect(readOwnDocuments(dir)).rejects.toThrow(/is not UTF-8/);
    }
    const unknown = written('d.html', Buffer.from('<meta charset="klingon">text'));
    await expect(readOwnDocuments(unknown)).rejects.toThrow(/is not KLINGON/);
  });

  it('of files that are not read do not matter: they are counted by ending', () => {
    const dir = written('a.xlsx', Uint8Array.from(chinese));
    for (const name of ['b.XLSX', 'c', '.hidden', 'd.txt']) writeFileSync(join(dir, name), 'x');
    expect(Object.fromEntries(unreadEndings(dir))).toEqual({ '': 1, '.xlsx': 2 });
  });
});

describe('facts of files', () => {
  it('are written and read, and their defects told by line', async () => {
    const path = join(temporaryFolder(), 'facts.csv');
    const facts = [
      { doc: 'a', attribute: 'Size', value: -3.5, unit: 'm', entity: 'e', period: '2020' },
      { doc: 'b', attribute: 'Kind', value: 'round, red', unit: '', quote: 'it is "round"' },
    ];
    await writeFacts(path, facts);
    expect(await readFacts(path)).toEqual(facts);
    writeFileSync(path, 'Doc;Attribute;Value\na;Size;1\na;Size;2\nb;;3\n');
    const collected = collectDefects();
    expect(await readFacts(path, collected.onDefect)).toHaveLength(1);
    expect(collected.defects.map(({ message }) => message)).toEqual([
      expect.stringMatching(/line 3: "Size" of "a" stands in line 2/),
      expect.stringMatching(/line 4: attribute is empty/),
    ]);
    writeFileSync(path, 'document,attribute,value\na,b,1\n');
    await expect(readFacts(path)).rejects.toThrow(/no column "doc"/);
  });

  it('stand in a column for each attribute as well, with units in headings', async () => {
    const path = join(temporaryFolder(), 'wide.csv');
    writeFileSync(
      path,
      'Doc,Staff,"Revenue (k USD)",Period\na,12,"1,000",2023\nb,,7,2024\n,1,1,\n',
    );
    const collected = collectDefects();
    expect(await readFacts(path, collected.onDefect)).toEqual([
      { doc: 'a', attribute: 'Staff', value: 12, unit: '', period: '2023' },
      { doc: 'a', attribute: 'Revenue', value: 1000, unit: 'k USD', period: '2023' },
      { doc: 'b', attribute: 'Revenue', value: 7, unit: 'k USD', period: '2024' },
    ]);
    expect(collected.defects.map(({ message }) => message)).toEqual([
      expect.stringMatching(/line 4: doc is empty/),
    ]);
    writeFileSync(path, 'doc,attribute,amount\na,b,1\n');
    await expect(readFacts(path)).rejects.toThrow(/no column "value"/);
    writeFileSync(path, 'doc,quote\na,b\n');
    await expect(readFacts(path)).rejects.toThrow(/no column "attribute"/);
  });

  it('have numbers as reports print them', () => {
    expect(['1,234.5', '-2', '(3)', '$-4', '$1,000', '007'].map(parseValue)).toEqual([
      ...[1234.5, -2, -3, -4, 1000, 7],
    ]);
    expect(['1,23', '2020-01', 'n/a', '12 apples'].map(parseValue)).toEqual([
      ...['1,23', '2020-01', 'n/a', '12 apples'],
    ]);
  });

  it('leave out what a document gives twice', () => {
    expect(tableFacts('d', '| A | 1 |\n| A | 2 |\n| B | 1 |\n| B | 1 |')).toMatchObject([
      { attribute: 'B', value: 1 },
    ]);
  });
});

describe('proposals', () => {
  const document = {
    ...{ name: 'd', title: 'd', type: 'own', language: 'en' as const },
    text: 'Founded: 1901\nStaff: 1,200 people\nThe net profit was 12 million USD.\n',
  };

  it('of a rule are lines with a name and a value', () => {
    expect(labelledFacts(document)).toMatchObject([
      { attribute: 'Founded', value: 1901, unit: '' },
      { attribute: 'Staff', value: 1200, unit: 'people' },
    ]);
  });

  it('of a model are kept where the document says so', async () => {
    const fact = {
      attribute: 'Net profit',
      value: '12',
      unit: 'million USD',
      entity: null,
      period: null,
    };
    const client = createScriptedClient({
      answer: () =>
        JSON.stringify({
          facts: [
            { ...fact, quote: 'net profit was 12 million' },
            { ...fact, attribute: 'Invented', quote: 'nobody said this 12' },
            { ...fact, attribute: 'Wrong', value: '13', quote: 'net profit was 12 million' },
          ],
        }),
    });
    const found = await proposeFacts([document], { client });
    expect(found).toMatchObject([{ doc: 'd', attribute: 'Net profit', value: 12 }]);
  });

  it('count once somebody decided on them', async () => {
    const path = join(temporaryFolder(), 'reviewed.csv');
    writeFileSync(
      path,
      'doc,attribute,value,unit,entity,period,quote,decision\n' +
        'a,S,1,,,,q,yes\nb,S,2,,,,q,no\nc,S,3,,,,q,4\nd,S,5,,,,q,\n',
    );
    expect(await readDecidedFacts(path)).toMatchObject([
      { doc: 'a', value: 1 },
      { doc: 'c', value: 4 },
    ]);
    writeFileSync(path, 'doc,attribute,value\na,S,1\n');
    await expect(readDecidedFacts(path)).rejects.toThrow(/decision/);
  });
});
