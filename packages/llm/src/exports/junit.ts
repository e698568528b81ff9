/**
 * A run as JUnit XML, which continuous integration shows as tests.
 *
 * Valid under the schema of Ant's reports (windyroad/JUnit-Schema, JUnit.xsd), which allows least,
 * and that of Jenkins (jenkinsci/xunit-plugin, junit-10.xsd).
 */
import type { ExportedRow, ExportedRun } from './exported-run.js';

/**
 * The run in parts of one XML text: rows that do not pass are failures, rows that failed for
 * reasons of the server are errors.
 */
export function* junitXml(run: ExportedRun): Generator<string> {
  const { record, rows } = run;
  const errors = rows.filter((row) => row.isFailed).length;
  const failures = rows.filter((row) => !row.isFailed && !row.isPass).length;
  const seconds = rows.reduce((sum, row) => sum + (row.milliseconds ?? 0), 0) / 1000;
  const name = attribute(`${record.method} ${record.label}`);
  const counts =
    `tests="${rows.length}" failures="${failures}" errors="${errors}" skipped="0" ` +
    `time="${seconds.toFixed(3)}"`;
  const started = attribute(record.start.slice(0, 19));
  const place = `id="0" package="${attribute(record.method)}" hostname="localhost"`;
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield '<testsuites>\n';
  yield `  <testsuite name="${name}" ${place} ${counts} timestamp="${started}">\n`;
  yield '    <properties>\n';
  yield `      <property name="model" value="${attribute(run.model)}"/>\n`;
  yield `      <property name="run" value="${attribute(record.id)}"/>\n`;
  yield '    </properties>\n';
  for (const row of rows) yield testCase(row, attribute(record.label));
  yield '    <system-out/>\n    <system-err/>\n';
  yield '  </testsuite>\n</testsuites>\n';
}

function testCase(row: ExportedRow, className: string): string {
  const time = ((row.milliseconds ?? 0) / 1000).toFixed(3);
  const start = `    <testcase classname="${className}" name="${attribute(row.id)}" time="${time}"`;
  if (row.isPass) return `${start}/>\n`;
  const tag = row.isFailed ? 'error' : 'failure';
  const type = row.status === 'ok' ? 'score' : row.status;
  const message = row.problem ?? (row.status === 'ok' ? `score ${row.score}` : row.status);
  const detail = row.text === '' ? message : row.text;
  return (
    `${start}>\n      <${tag} type="${attribute(type)}" message="${attribute(message)}">` +
    `${content(detail)}</${tag}>\n    </testcase>\n`
  );
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
};

/** Characters that XML 1.0 does not know, and halves of pairs. */
const unknown = new RegExp(
  [
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/,
    /[\ud800-\udbff](?![\udc00-\udfff])/,
    /(?<![\ud800-\udbff])[\udc00-\udfff]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

function attribute(text: string): string {
  return clean(text).replace(/[&<>"\n\t\r]/gu, (character) => entities[character] ?? character);
}

function content(text: string): string {
  return clean(text).replace(/[&<>\r]/gu, (character) => entities[character] ?? character);
}

function clean(text: string): string {
  return text.replace(unknown, '\ufffd');
}
