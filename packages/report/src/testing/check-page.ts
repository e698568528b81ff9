import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Scheme } from '../palette.js';
import { pageLimitBytes } from '../run-page.js';
import { openPage, type View } from './browser-page.js';
import { type PageAudit, pageAuditScript } from './page-audit.js';
import { withSharedBrowser } from './shared-browser.js';

/** Under which views a page is checked; by default all eight. */
export interface CheckPageOptions {
  /** Widths of the window in px; default 1280 and 400. */
  readonly widths?: readonly number[];
  readonly schemes?: readonly Scheme[];
  /** Whether scripts run; default both. */
  readonly scripts?: readonly boolean[];
  /** Path or name of the browser; default `chromium`. */
  readonly program?: string;
  /** Receives a picture of each view: of the whole page, PNG. */
  readonly onPicture?: (view: View, png: Uint8Array) => void;
}

/** What was found under one view. */
export interface ViewFindings extends PageAudit {
  readonly view: View;
  readonly errors: readonly string[];
  readonly requests: readonly string[];
}

/** What was found: by view, and all that breaks a rule as sentences (none when all is well). */
export interface PageFindings {
  readonly bytes: number;
  readonly views: readonly ViewFindings[];
  readonly problems: readonly string[];
}

/**
 * Looks at an HTML file in Chromium: wide and narrow, light and dark, with and without scripts.
 *
 * Checked are console errors, requests, sideways scrolling, contrast of at least 4.5:1, text
 * alternatives, data links, line lengths and the size of the file.
 *
 * @param path - of the HTML file.
 * @throws {BackendError} when the browser does not start or the page does not load.
 */
export async function checkPage(
  path: string,
  options: CheckPageOptions = {},
): Promise<PageFindings> {
  const { widths = [1280, 400], schemes = ['light', 'dark'], scripts = [true, false] } = options;
  const url = pathToFileURL(resolve(path)).href;
  const bytes = statSync(path).size;
  const views: ViewFindings[] = [];
  await withSharedBrowser(options.program ?? 'chromium', async (browser) => {
    for (const width of widths) {
      for (const scheme of schemes) {
        for (const hasScripts of scripts) {
          const view = { width, scheme, hasScripts };
          const page = await openPage(browser, url, view);
          await page.fitHeight();
          const audit = (await page.evaluate(pageAuditScript)) as PageAudit;
          if (options.onPicture) options.onPicture(view, await page.screenshot());
          views.push({ view, ...audit, errors: page.errors, requests: page.requests });
          await page.close();
        }
      }
    }
  });
  return { bytes, views, problems: problemsOf(bytes, views) };
}

function problemsOf(bytes: number, views: readonly ViewFindings[]): string[] {
  const size = bytes > pageLimitBytes ? [`the file has ${bytes} bytes`] : [];
  const found = views.flatMap((found) => {
    const { width, scheme, hasScripts } = found.view;
    const where = `${width} px, ${scheme}, scripts ${hasScripts ? 'on' : 'off'}`;
    return viewProblems(found).map((problem) => `${where}: ${problem}`);
  });
  return [...size, ...found];
}

function viewProblems(found: ViewFindings): string[] {
  return [
    ...found.errors.map((error) => `console: ${error}`),
    ...found.requests.map((request) => `request: ${request}`),
    ...(found.overflowPx > 0 ? [`scrolls sideways by ${found.overflowPx} px`] : []),
    ...found.stickingOut.map((element) => `${element} sticks out of the window`),
    ...found.lowContrast.map(
      ({ text, ratio, element }) => `contrast ${ratio.toFixed(2)}: "${text}" (${element})`,
    ),
    ...(found.textCount === 0 ? ['no text is visible'] : []),
    ...(found.unnamedPictures > 0 ? [`${found.unnamedPictures} pictures without a name`] : []),
    ...(found.figuresWithoutData > 0 ? [`${found.figuresWithoutData} figures without data`] : []),
    ...found.longLines.map((line) => `a line is too long: "${line}"`),
  ];
}
