/**
 * Server-sent events, as language-model servers stream with.
 */

/** Takes text as it comes, cut anywhere. */
export interface EventStream {
  push(text: string): void;
  /** The stream has ended; an event without its empty line counts too. */
  end(): void;
}

/**
 * A reader of server-sent events.
 *
 * @param onData - gets the data of each event; lines of one event are joined by line feeds.
 */
export function createEventStream(onData: (data: string) => void): EventStream {
  let rest = '';
  let data: string[] = [];
  const emit = (): void => {
    if (data.length > 0) onData(data.join('\n'));
    data = [];
  };
  const line = (text: string): void => {
    if (text === '') emit();
    else if (text.startsWith('data:')) data.push(text.slice(text[5] === ' ' ? 6 : 5));
  };
  return {
    push(text) {
      const all = rest + text;
      // A carriage return at the very end may be half of a line end.
      const end = all.endsWith('\r') ? all.length - 1 : all.length;
      const lines = all.slice(0, end).split(/\r\n|\n|\r/);
      rest = `${lines.pop() ?? ''}${all.slice(end)}`;
      for (const one of lines) line(one);
    },
    end() {
      if (rest !== '') line(rest.replace(/\r$/, ''));
      rest = '';
      emit();
    },
  };
}
