/** The value at a dotted path; keys that hold dots do not occur in results that are compared. */
function valueAt(result, path) {
  return path.split('/').reduce((value, key) => value?.[key], result);
}

/**
 * What differs between a result and what is expected of it: `{ "metrics/forward/mrr": rule }`,
 * where a rule is `{ near, within }`, `{ atLeast }` or `{ equals }`. An empty list means that all
 * hold.
 */
export function differences(result, expected) {
  return Object.entries(expected).flatMap(([path, rule]) => {
    const value = valueAt(result, path);
    return holds(value, rule) ? [] : [`${path} is ${JSON.stringify(value)}, not ${describe(rule)}`];
  });
}

function holds(value, rule) {
  if ('near' in rule) return Math.abs(value - rule.near) <= rule.within;
  if ('atLeast' in rule) return value >= rule.atLeast;
  return 'equals' in rule && JSON.stringify(value) === JSON.stringify(rule.equals);
}

function describe(rule) {
  if ('near' in rule) return `${rule.near} ± ${rule.within}`;
  if ('atLeast' in rule) return `at least ${rule.atLeast}`;
  return `equal to ${JSON.stringify(rule.equals)}`;
}
