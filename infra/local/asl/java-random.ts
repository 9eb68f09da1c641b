const MULTIPLIER = 0x5_de_ec_e6_6dn;
const MASK = (1n << 48n) - 1n;

/**
 * java.util.Random, with which Step Functions answers seeded calls.
 *
 * @returns `double` is 0 to 1; `int` is 0 to `bound` (exclusive), `bound` at most 2^31 - 1
 */
export function javaRandom(seed: bigint): { double: () => number; int: (bound: number) => number } {
  let state = (seed ^ MULTIPLIER) & MASK;
  const next = (bits: bigint): number => {
    state = (state * MULTIPLIER + 0xbn) & MASK;
    return Number(BigInt.asIntN(32, state >> (48n - bits)));
  };
  return {
    double: () => (next(26n) * 2 ** 27 + next(27n)) / 2 ** 53,
    int: (bound) => {
      if ((bound & -bound) === bound) return Number((BigInt(bound) * BigInt(next(31n))) >> 31n);
      for (;;) {
        const bits = next(31n);
        const value = bits % bound;
        // The last, incomplete run of `bound` would favour small numbers; int overflow marks it.
        if (bits - value + (bound - 1) < 2 ** 31) return value;
      }
    },
  };
}
