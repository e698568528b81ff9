/** The two colour schemes a page or picture can have. */
export type Scheme = 'light' | 'dark';

/**
 * Okabe and Ito's colours, safe for colour-blind readers, in the order series take them; yellow
 * is replaced by grey because it does not show on white. `ink` is the shade for words.
 */
const SERIES = [
  { light: '#0072b2', lightInk: '#00639b', dark: '#3b97d3', darkInk: '#69b3e6' },
  { light: '#d55e00', lightInk: '#ad4c00', dark: '#d55e00', darkInk: '#f08a45' },
  { light: '#009e73', lightInk: '#007353', dark: '#009e73', darkInk: '#2fc49a' },
  { light: '#cc79a7', lightInk: '#a0467a', dark: '#cc79a7', darkInk: '#dd9bc0' },
  { light: '#e69f00', lightInk: '#875d00', dark: '#e69f00', darkInk: '#edb53d' },
  { light: '#56b4e9', lightInk: '#1b6f9c', dark: '#56b4e9', darkInk: '#7cc5ee' },
  { light: '#1b1f24', lightInk: '#1b1f24', dark: '#e7eaee', darkInk: '#e7eaee' },
  { light: '#7d8590', lightInk: '#5d6671', dark: '#8b949e', darkInk: '#a3adb8' },
] as const;

const GROUND = {
  surface: { light: '#ffffff', dark: '#14161a' },
  raised: { light: '#f5f7f9', dark: '#1d2026' },
  ink: { light: '#1b1f24', dark: '#e7eaee' },
  muted: { light: '#56606b', dark: '#a3adb8' },
  rule: { light: '#d5dae0', dark: '#3a414b' },
  accent: { light: '#00639b', dark: '#7cc5ee' },
  good: { light: '#00694c', dark: '#43cfa6' },
  bad: { light: '#ad4c00', dark: '#f39a5f' },
  heat: { light: '#0072b2', dark: '#2b80b8' },
} as const;

/** A colour of the page that is not a series'. */
export type GroundName = keyof typeof GROUND;

/** Dash patterns in the order of the colours, so that lines differ in black and white too. */
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 2', '1 2', '6 2 1 2 1 2'];

/** Number of colours before they repeat. */
export const seriesSlotCount = SERIES.length;

/** Which slot of the palette each series has: the same in every figure that shares the object. */
export interface SeriesColors {
  /** Slot 0..7 of the series; an unknown name takes the next free one. */
  slotOf(name: string): number;
}

/**
 * Colours for named series, given out in the order of first mention and kept from then on.
 *
 * Pass one object to all figures of a page, with the names in the order of their importance.
 */
export function createSeriesColors(names: Iterable<string> = []): SeriesColors {
  const slots = new Map<string, number>();
  const slotOf = (name: string): number => {
    const known = slots.get(name);
    if (known !== undefined) return known;
    const slot = slots.size % seriesSlotCount;
    slots.set(name, slot);
    return slot;
  };
  for (const name of names) slotOf(name);
  return { slotOf };
}

/** The CSS colour of a slot: a variable of the page, with the light colour where there is none. */
export function seriesColor(slot: number): string {
  const place = slot % seriesSlotCount;
  return `var(--series-${place + 1}, ${SERIES[place]!.light})`;
}

/** The CSS colour of words about a slot: its darker, or in the dark its lighter, shade. */
export function seriesInk(slot: number): string {
  const place = slot % seriesSlotCount;
  return `var(--series-${place + 1}-ink, ${SERIES[place]!.lightInk})`;
}

/** The CSS colour of surfaces, words and rules: a variable of the page with its light fallback. */
export function groundColor(name: GroundName): string {
  return `var(--${name}, ${GROUND[name].light})`;
}

/** The dash pattern of a slot; undefined for a solid line. */
export function seriesDash(slot: number): string | undefined {
  return DASHES[slot % seriesSlotCount] || undefined;
}

/** All variables of a scheme: name with its leading dashes, and the concrete colour. */
export function schemeVariables(scheme: Scheme): [string, string][] {
  const ground = Object.entries(GROUND).map(([name, colors]): [string, string] => [
    `--${name}`,
    colors[scheme],
  ]);
  const series = SERIES.flatMap((colors, slot): [string, string][] => [
    [`--series-${slot + 1}`, colors[scheme]],
    [`--series-${slot + 1}-ink`, scheme === 'light' ? colors.lightInk : colors.darkInk],
  ]);
  return [...ground, ...series];
}
