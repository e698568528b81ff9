import { mixBits, scramble } from './fake-hash.js';

const words = (
  'amber anchor autumn barley basin beacon birch bridge candle canyon carbon cedar cinder clover ' +
  'copper coral cotton crater dawn delta ember engine falcon fern field flint forest garden ' +
  'glacier ' +
  'granite harbor hazel island ivory juniper kettle lantern lemon linen maple marble meadow ' +
  'mirror ' +
  'moss north oak ocean olive orchard pebble pine prairie quartz raven reed ridge river saddle'
).split(' ');

/** Plain words that depend on a hash and a salt only. */
export function wordsOf(hash: string, count: number, salt = 0): string {
  const chosen: string[] = [];
  let bits = mixBits(hash, salt);
  for (let i = 0; i < count; i += 1) {
    chosen.push(words[bits % words.length] ?? '');
    bits = scramble(bits + i + 1);
  }
  return chosen.join(' ');
}
