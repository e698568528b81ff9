/** One character for each control character, so that data cannot steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\t\n\r]/g, ' ').replace(/\p{Cc}/gu, '?');
}

/** As {@link printable} for text of several lines; colours stay where there are any. */
export function printableLines(text: string, hasColor: boolean): string {
  if (!hasColor) return text.replace(/(?![\t\n])\p{Cc}/gu, '?');
  const colorOrControl = /\u001b\[[\d;]*m|(?![\t\n])\p{Cc}/gu;
  return text.replace(colorOrControl, (found) => (found.endsWith('m') ? found : '?'));
}
