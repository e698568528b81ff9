/**
 * The text of a web page, its tables as rows between bars.
 */
import { convert, type FormatCallback } from 'html-to-text';

const tableRow: FormatCallback = (element, walk, builder) => {
  const cells = element.children.filter(({ name }) => name === 'td' || name === 'th');
  builder.openBlock({ leadingLineBreaks: 1 });
  for (const cell of cells) {
    builder.addInline('| ');
    walk(cell.children, builder);
    builder.addInline(' ');
  }
  builder.addInline('|');
  builder.closeBlock({ trailingLineBreaks: 1 });
  if (cells.length === 0 || cells.some(({ name }) => name !== 'th')) return;
  builder.openBlock({ leadingLineBreaks: 1 });
  builder.addInline(`|${' --- |'.repeat(cells.length)}`);
  builder.closeBlock({ trailingLineBreaks: 1 });
};

/** The text of HTML: no scripts, no styles, no addresses of links; tables as Markdown rows. */
export function htmlText(html: string): string {
  const skipped = ['img', 'script', 'style', 'nav'].map((selector) => ({
    selector,
    format: 'skip',
  }));
  const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
    selector,
    options: { uppercase: false },
  }));
  // What breaks lines elsewhere must not break the row of a table.
  const inCells = ['td > p', 'th > p', 'td > div', 'th > div', 'td > br', 'th > br'].map(
    (selector) => ({
      selector,
      format: 'inline',
    }),
  );
  return convert(html, {
    wordwrap: false,
    formatters: { tableRow },
    selectors: [
      ...skipped,
      ...headings,
      ...inCells,
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'table', format: 'block' },
      { selector: 'tr', format: 'tableRow' },
      { selector: 'p', options: { leadingLineBreaks: 2, trailingLineBreaks: 2 } },
    ],
  });
}
