/** Pseudo-random numbers that a seed repeats (mulberry32): a failure can be played again. */
export type Chance = {
  /** 0 ≤ x < 1. */
  next(): number;
  /** An integer, both ends included. */
  between(low: number, high: number): number;
  one<T>(of: readonly T[]): T;
};

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    one<T>(of: readonly T[]): T {
      return of[Math.floor(next() * of.length)] as T;
    },
  };
}

const OPENINGS = [
  'I tried this last week and',
  'For what it is worth,',
  'At our school',
  'My brother says',
  'When I first read this',
  'After two years of using it',
  'On a slower machine',
  'In the second paragraph',
  'Reading the old version again,',
  'As a beginner',
];
const SUBJECTS = [
  'the garden',
  'this recipe',
  'the second chapter',
  'my old bicycle',
  'the library downtown',
  'your map',
  'the compiler',
  'the night train',
  'our choir',
  'the small telescope',
  'the sourdough',
  'that museum',
  'the harbour',
  'the patch',
  'the lens',
];
const VERBS = [
  'took longer than expected',
  'turned out well',
  'reminded me of home',
  'still works after the winter',
  'needed a second attempt',
  'made everybody laugh',
  'was quieter than before',
  'lost a screw on the way',
  'explained more than the manual',
  'looked better in the rain',
  'fell apart on Tuesday',
];
const ENDS = [
  'which nobody had told me.',
  'so thank you for writing it down.',
  'and I would do it again.',
  'but the details differ in the north.',
  'though my neighbour disagrees.',
  'and the photographs show it.',
  'so I wonder what the author thinks.',
  'except for the last step.',
  'and that was the best part of it.',
];

const HALVES = [
  'harbour',
  'lantern',
  'window',
  'kitchen',
  'garden',
  'mountain',
  'river',
  'winter',
  'copper',
  'paper',
  'timber',
  'market',
  'station',
  'bridge',
  'thunder',
  'summer',
  'pepper',
  'morning',
  'silver',
  'castle',
  'meadow',
  'barley',
  'cotton',
  'island',
  'valley',
  'orchard',
  'granite',
  'feather',
  'evening',
  'village',
];
const SECOND_HALVES = [
  'keeper',
  'maker',
  'house',
  'walker',
  'stone',
  'builder',
  'table',
  'garden',
  'letter',
  'master',
  'wright',
  'binding',
  'chamber',
  'festival',
  'crossing',
  'painter',
  'holder',
  'teacher',
  'weaver',
  'mender',
  'shelter',
  'carrier',
  'basket',
  'planter',
  'whistle',
  'journal',
  'harvest',
  'singer',
  'ladder',
  'mirror',
];

/**
 * An honest comment of three sentences about things that nobody else writes of: near-duplicates are found by their longest
 * words, and an honest crowd shares none.
 */
export function remark(chance: Chance): string {
  const thing = () => chance.one(HALVES) + chance.one(SECOND_HALVES);
  const sentence = (about: string) => `${chance.one(OPENINGS)} ${about} ${chance.one(VERBS)}, ${chance.one(ENDS)}`;
  return [
    sentence(chance.one(SUBJECTS)),
    sentence(`the ${thing()} beside the ${thing()}`),
    sentence(`our ${thing()}`),
  ].join(' ');
}

const FIRST = [
  'Ada',
  'Bo',
  'Cleo',
  'Dan',
  'Edda',
  'Finn',
  'Gita',
  'Hugo',
  'Ines',
  'Jun',
  'Kaya',
  'Leo',
  'Mina',
  'Nils',
];

export const nameOf = (number: number): string => `${FIRST[number % FIRST.length]} ${(number / FIRST.length) | 0}`;

/** An address of its own for each writer, from the range for benchmarks (RFC 2544). */
export const addressOf = (number: number): string =>
  `198.${18 + ((number >> 16) & 1)}.${(number >> 8) & 255}.${number & 255}`;
