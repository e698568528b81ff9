/** Ticks of an axis: where they are and how each reads; all with the same decimals. */
export interface Ticks {
  readonly values: number[];
  format(value: number): string;
}

/** How ticks are made: about how many, as shares (`.25`), at whole numbers only. */
export interface TickOptions {
  readonly count: number;
  readonly isShare: boolean;
  readonly isWhole: boolean;
}

/** Ticks of a linear axis at multiples of 1, 2 or 5 times a power of ten. */
export function linearTicks([low, high]: readonly [number, number], options: TickOptions): Ticks {
  const raw = (high - low) / Math.max(1, options.count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const rest = raw / power;
  const factor = rest >= 50 ** 0.5 ? 10 : rest >= 10 ** 0.5 ? 5 : rest >= 2 ** 0.5 ? 2 : 1;
  const step = options.isWhole ? Math.max(1, Math.round(factor * power)) : factor * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const values = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return { values, format: tickFormat({ step, most, isShare: options.isShare }) };
}

/** Ticks of a logarithmic axis: steps within decades while few enough, else decades. */
export function logTicks([low, high]: readonly [number, number], count: number): Ticks {
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) powers.push(power);
  const at = (steps: readonly number[]) =>
    powers
      .flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
      .filter((value) => value >= low && value <= high);
  const candidates = [at([1, 2, 3, 5, 7]), at([1, 2, 5]), at([1, 3]), at([1])];
  const fitting = candidates.find((values) => values.length <= count + 1);
  const decades = at([1]);
  const stride = Math.ceil(decades.length / count);
  const values = fitting ?? decades.filter((_, index) => index % stride === 0);
  return { values, format: plainNumber };
}

function plainNumber(value: number): string {
  const isPlain = value >= 1e-4 && value < 1e5;
  if (isPlain) return value.toLocaleString('en-US', { maximumSignificantDigits: 6 });
  return value >= 1e5 && value < 1e15 ? scaled(value, 0) : String(value);
}

interface TickStyle {
  readonly step: number;
  readonly most: number;
  readonly isShare: boolean;
}

function tickFormat({ step, most, isShare }: TickStyle): (value: number) => string {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (most >= 1e15 || decimals > 6) return (value) => (value === 0 ? '0' : value.toExponential(1));
  if (most >= 1e5) return (value) => scaled(value, step);
  return (value) => {
    if (value === 0) return '0';
    const text = value.toFixed(decimals);
    if (isShare) return text.replace(/^(-?)0\./, '$1.').replace(/^(-?1)\.0+$/, '$1');
    return Math.abs(value) < 1000 ? text : Number(text).toLocaleString('en-US');
  };
}

const SCALES = [
  { size: 1e12, letter: 'T' },
  { size: 1e9, letter: 'G' },
  { size: 1e6, letter: 'M' },
  { size: 1e3, letter: 'k' },
];

/** Large numbers with a letter: 200k, 1.5M. */
function scaled(value: number, step: number): string {
  const scale = SCALES.find(({ size }) => Math.abs(value) >= size);
  if (!scale) return String(value);
  const decimals = step >= scale.size || step === 0 ? 0 : 1;
  return `${Number((value / scale.size).toFixed(Math.max(decimals, 2)))}${scale.letter}`;
}
