export { type BrowserPage, openPage, type View } from './testing/browser-page.js';
export {
  type CheckPageOptions,
  checkPage,
  type PageFindings,
  type ViewFindings,
} from './testing/check-page.js';
export { type Browser, type BrowserEvent, openBrowser } from './testing/devtools.js';
export type { ContrastFinding, PageAudit } from './testing/page-audit.js';
