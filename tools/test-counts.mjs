/** Nothing counted yet. */
export const noCounts = Object.freeze({ passed: 0, failed: 0, skipped: 0, remarks: [] });

/** The sum of two counts. */
export function addCounts(a, b) {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    remarks: [...a.remarks, ...b.remarks],
  };
}

/** `N passed, N failed`, and `, N skipped` when there are any. */
export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Why a skipped test may be skipped: its name says `needs <what>`; on a machine that promises to
 * have `<what>`, or without such a reason while anything is promised, the skip is a failure.
 */
function skipIsFailure(name, required) {
  if (required.length === 0) return false;
  const needs = /needs ([\w-]+)/.exec(name)?.[1];
  return needs === undefined || required.includes(needs.toLowerCase());
}

/**
 * The counts in a JSON report of Vitest. A file that could not even be loaded holds no tests and
 * counts as one failure.
 */
export function countTests(report, required = []) {
  const counts = { passed: 0, failed: 0, skipped: 0, remarks: [] };
  for (const file of report.testResults) {
    const failures = file.assertionResults.filter((test) => test.status === 'failed').length;
    if (file.status === 'failed' && failures === 0) {
      counts.failed += 1;
      counts.remarks.push(`failed to load: ${file.name}`);
    }
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed += 1;
      else if (test.status === 'failed') counts.failed += 1;
      else if (skipIsFailure(test.fullName, required)) {
        counts.failed += 1;
        counts.remarks.push(`skipped although LAB_REQUIRE=${required.join(',')}: ${test.fullName}`);
      } else {
        counts.skipped += 1;
        counts.remarks.push(`skipped: ${test.fullName}`);
      }
    }
  }
  return counts;
}
