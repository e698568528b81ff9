import { type Browser, openBrowser } from './devtools.js';

interface SharedBrowser {
  readonly browser: Browser;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

/** Browsers at work, by program. */
const shared = new Map<string, SharedBrowser>();
/** Without users a browser ends after this time. */
const idleMs = 3000;

/**
 * What `use` gives with a browser that calls of this process share: to start one takes seconds of
 * the processor, far more than to look at a page. It ends when it has not been used for a while;
 * after a failure the next call gets another one.
 *
 * @param program - path or name of the browser.
 */
export async function withSharedBrowser<T>(
  program: string,
  use: (browser: Browser) => Promise<T>,
): Promise<T> {
  const entry = shared.get(program) ?? { browser: openBrowser(program), users: 0, idle: undefined };
  shared.set(program, entry);
  clearTimeout(entry.idle);
  entry.users += 1;
  try {
    return await use(entry.browser);
  } catch (error) {
    if (shared.get(program) === entry) shared.delete(program);
    throw error;
  } finally {
    entry.users -= 1;
    if (entry.users === 0) endLater(program, entry);
  }
}

function endLater(program: string, entry: SharedBrowser): void {
  const isKept = shared.get(program) === entry;
  const end = (): void => {
    if (shared.get(program) === entry) shared.delete(program);
    void entry.browser.close();
  };
  entry.idle = setTimeout(end, isKept ? idleMs : 0);
}
