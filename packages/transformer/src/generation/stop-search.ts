/**
 * Texts that end a continuation, also where they come in parts.
 */

/** Text that is certain, and the stop text that stands behind it. */
export interface Searched {
  readonly text: string;
  readonly stop: string | null;
}

/** Looks for the first of some texts in a text that comes in parts. */
export class StopSearch {
  private held = '';

  /** @param stops - none of them empty. */
  constructor(private readonly stops: readonly string[]) {}

  /** Text that no stop text can begin in any more; all up to a stop text where one is complete. */
  push(part: string): Searched {
    const text = this.held + part;
    const found = this.stops
      .map((stop) => ({ stop, at: text.indexOf(stop) }))
      .filter(({ at }) => at >= 0)
      .toSorted((a, b) => a.at - b.at || b.stop.length - a.stop.length)[0];
    if (found !== undefined) {
      this.held = '';
      return { text: text.slice(0, found.at), stop: found.stop };
    }
    const end = text.length - this.beginning(text);
    this.held = text.slice(end);
    return { text: text.slice(0, end), stop: null };
  }

  /** What was held back, where no more text comes, or where a stop text counts for nothing. */
  release(): string {
    const text = this.held;
    this.held = '';
    return text;
  }

  /** Length of the longest end of a text that is the begin of a stop text. */
  private beginning(text: string): number {
    const longest = this.stops.reduce((most, { length }) => Math.max(most, length - 1), 0);
    for (let length = Math.min(longest, text.length); length > 0; length -= 1) {
      const end = text.slice(-length);
      if (this.stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
