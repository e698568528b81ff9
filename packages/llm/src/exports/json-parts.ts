/**
 * Large JSON in parts, as one text of it may be longer than a text can be.
 */

/** An object whose last key holds a list, item by item. */
export function* objectWithList(
  head: object,
  key: string,
  items: Iterable<object>,
): Generator<string> {
  const start = JSON.stringify(head).slice(0, -1);
  yield `${start}${start === '{' ? '' : ','}${JSON.stringify(key)}:[`;
  let isFirst = true;
  for (const item of items) {
    yield `${isFirst ? '\n' : ',\n'}${JSON.stringify(item)}`;
    isFirst = false;
  }
  yield ']}\n';
}
