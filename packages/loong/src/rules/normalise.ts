/**
 * Texts and numbers in one form, so that answers can be compared by rule.
 */

/**
 * A name or title without marks, quotes, blanks and case: `# HuBERT: Self-Supervised ` and
 * `"hubert self-supervised"` are alike; the points of decimals stay.
 */
export function normaliseTitle(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s#*_"'`“”‘’《》「」\\,，。:：;；()（）]|\.(?!\d)|(?<!\d)\./g, '');
}

/** What two values of answers are equal by: numbers as numbers, texts as titles. */
export function valueKey(text: string): string {
  const number = wholeNumber(text.normalize('NFKC').trim());
  return number === null ? normaliseTitle(text) : `${number}`;
}

/** A number of a text, and whether it is a share. */
export interface FoundNumber {
  readonly value: number;
  readonly isPercent: boolean;
  /** As it stands there. */
  readonly text: string;
}

const numberPattern = new RegExp(
  [
    /(?<open>[(（]\s*)?(?<sign>[-−–+]\s*)?/,
    /(?<currency>[$¥€£￥]\s*|(?:USD|RMB|CNY)\s*)?(?<late>[-−(（]\s*)?/,
    /(?<digits>\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*/,
    /(?<close>[)）])?\s*(?<unit>%|％|thousand|million|billion|万亿|亿|万|千)?/,
  ]
    .map(({ source }) => source)
    .join(''),
  'giu',
);

const scales: Readonly<Record<string, number>> = {
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  千: 1e3,
  万: 1e4,
  亿: 1e8,
  万亿: 1e12,
};

/**
 * The numbers of a text: thousands separators, currencies and units are understood, and a number in
 * parentheses directly around it is negative.
 */
export function numbersIn(text: string): FoundNumber[] {
  return [...text.matchAll(numberPattern)].map((found) => {
    const { open, sign, late, digits = '', close, unit = '' } = found.groups ?? {};
    const isNegative =
      /[-−–]/.test(`${sign ?? ''}${late ?? ''}`) ||
      (close !== undefined && (open !== undefined || /[(（]/.test(late ?? '')));
    const size = Number(digits.replace(/[,，]/g, '')) * (scales[unit.toLowerCase()] ?? 1);
    return {
      value: isNegative ? -size : size,
      isPercent: unit === '%' || unit === '％',
      text: found[0].trim(),
    };
  });
}

/**
 * The number that a text is, as {@link numbersIn} reads it; null where it is not one alone, or has
 * a unit.
 */
export function wholeNumber(text: string): number | null {
  const [found, ...more] = numbersIn(text);
  const isWhole = found?.text === text && more.length === 0 && /[\d)）]$/.test(text);
  return isWhole ? found.value : null;
}

/** Numbers differ by less than what printing rounds. */
const tolerance = 1e-9;

const isClose = (a: number, b: number): boolean =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));

/** Whether a text holds a number, in any of the scales in which reports are printed. */
export function holdsNumber(numbers: readonly FoundNumber[], wanted: FoundNumber): boolean {
  return numbers.some(({ value, isPercent }) => {
    if (isPercent !== wanted.isPercent) return isClose(value, wanted.value) && wanted.value === 0;
    return (
      isClose(value, wanted.value) ||
      (Math.abs(value) >= 1000 && Math.abs(wanted.value) > 0 && inScale(value, wanted.value))
    );
  });
}

/** Thousands or millions said once for a whole table: "1,023 in thousands". */
const inScale = (value: number, wanted: number): boolean =>
  [1e3, 1e6].some((scale) => isClose(value, wanted * scale));
