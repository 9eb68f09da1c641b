/** As deep as the services' own JSON reader goes; what recurses over a value is safe below it. */
export const DEEPEST = 1000;

/** True when arrays and objects lie more than `DEEPEST` deep in each other. Does not recurse itself. */
export function nestsTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
    if (depth >= DEEPEST && level.length > 0) return true;
  }
  return false;
}
