/**
 * The `Deviation:` remarks in the comments of one source file: `{ symbol, text }`, where `symbol`
 * is the export that the comment stands above, or null. Remarks that say `none` are left out.
 */
export function deviationsOf(source) {
  const found = [];
  for (const match of source.matchAll(/\/\*\*([\s\S]*?)\*\/|(?:^[ \t]*\/\/.*\n?)+/gm)) {
    const lines = match[0]
      .replace(/^\s*\/\*\*|\*\/\s*$/g, '')
      .split('\n')
      .map((line) => line.replace(/^\s*(\*|\/\/)\s?/, '').trim());
    const after = source.slice(match.index + match[0].length);
    const symbol = /^\s*export\s+(?:async\s+)?(?:function|const|class|interface|type)\s+(\w+)/.exec(
      after,
    );
    for (const text of remarks(lines)) found.push({ symbol: symbol?.[1] ?? null, text });
  }
  return found;
}

/** The texts after `Deviation:`, each up to a blank line, a tag or the next labelled line. */
function remarks(lines) {
  const texts = [];
  let current = null;
  for (const line of lines) {
    const start = /^Deviation:\s*(.*)$/.exec(line);
    if (start) texts.push((current = [start[1]]));
    else if (line === '' || /^(@\w+|[A-Z]\w+: |`[^`]*`$)/.test(line)) current = null;
    else current?.push(line);
  }
  return texts.map((parts) => parts.join(' ').trim()).filter((text) => !/^none\b/i.test(text));
}

/** The Markdown list of deviations by file: `[{ file, deviations }]`. */
export function deviationList(files) {
  const lines = files.flatMap(({ file, deviations }) =>
    deviations.map(
      ({ symbol, text }) => `- \`${file}\`${symbol ? `, \`${symbol}\`` : ''}: ${text}`,
    ),
  );
  return lines.length > 0 ? lines.join('\n') : 'None marked in the source.';
}

/**
 * The document with the text between `<!-- <name>: generated -->` and `<!-- /<name> -->` replaced,
 * or null when it has no such pair of marks.
 */
export function replaceBetween(document, name, text) {
  const start = `<!-- ${name}: generated -->`;
  const end = `<!-- /${name} -->`;
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from < 0 || to < from) return null;
  return `${document.slice(0, from + start.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}
