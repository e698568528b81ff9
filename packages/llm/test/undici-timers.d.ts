/** Timers of undici, moved on by hand: it exports this for tests. */
declare module 'undici/lib/util/timers.js' {
  const timers: { tick(milliseconds: number): void };
  export default timers;
}
