import { BESIDE, type Bill } from './cost-model.ts';

const [WIDTH, HEIGHT] = [720, 400];
const PLOT = { left: 70, top: 24, right: 190, bottom: 46 };
/** Powers of ten on either axis. */
const X = [3, 9] as const;
const Y = [0, 6] as const;

/** USD a month over comments a month, both logarithmic, as a picture without scripts. */
export function curve(bills: readonly Bill[]): string {
  const x = (value: number) =>
    PLOT.left + ((Math.log10(value) - X[0]) / (X[1] - X[0])) * (WIDTH - PLOT.left - PLOT.right);
  const y = (value: number) =>
    HEIGHT -
    PLOT.bottom -
    ((Math.log10(Math.max(1, value)) - Y[0]) / (Y[1] - Y[0])) * (HEIGHT - PLOT.top - PLOT.bottom);
  const sumOf = ({ lines }: Bill, groups: readonly string[]) =>
    lines.filter(({ group }) => groups.includes(group)).reduce((sum, { usd }) => sum + usd, 0);
  const series = [
    {
      name: 'one Standard workflow',
      colour: '#c2410c',
      of: ({ comments }: Bill) => (comments / 1e6) * BESIDE.oneStandardWorkflow,
    },
    { name: 'Sluice with e-mail', colour: '#7c3aed', of: (one: Bill) => one.usd },
    { name: 'Sluice, use and fixed', colour: '#0369a1', of: (one: Bill) => sumOf(one, ['use', 'fixed']) },
    { name: 'primitives alone', colour: '#6b7280', of: ({ comments }: Bill) => (comments / 1e6) * BESIDE.floor },
  ];
  const words = ['1 thousand', '10 thousand', '100 thousand', '1 million', '10 million', '100 million', '1 billion'];
  const ticks = [
    ...words.map((word, index) => {
      const at = x(10 ** (X[0] + index)).toFixed(1);
      return `<path d="M${at} ${PLOT.top}V${HEIGHT - PLOT.bottom}" stroke="#8884"/><text x="${at}" y="${HEIGHT - 26}" text-anchor="middle">${word}</text>`;
    }),
    ...Array.from({ length: Y[1] - Y[0] + 1 }, (_, power) => {
      const at = y(10 ** (Y[0] + power)).toFixed(1);
      return `<path d="M${PLOT.left} ${at}H${WIDTH - PLOT.right}" stroke="#8884"/><text x="${PLOT.left - 8}" y="${at}" dy="4" text-anchor="end">${(10 ** power).toLocaleString('en')}</text>`;
    }),
  ];
  const last = bills.at(-1)!;
  // Names stand beside the ends, from the highest down, never on each other.
  let free = 0;
  const lines = series
    .toSorted((a, b) => b.of(last) - a.of(last))
    .map(({ name, colour, of }) => {
      const points = bills.map((one) => `${x(one.comments).toFixed(1)},${y(of(one)).toFixed(1)}`).join(' ');
      const at = Math.max(y(of(last)), free);
      free = at + 16;
      return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${WIDTH - PLOT.right + 8}" y="${at.toFixed(1)}" dy="4" fill="${colour}">${name}</text>`;
    });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#6b7280" role="img" aria-label="USD a month over comments a month">
<text x="${PLOT.left}" y="14">USD a month</text><text x="${(WIDTH - PLOT.right + PLOT.left) / 2}" y="${HEIGHT - 8}" text-anchor="middle">comments a month</text>
${ticks.join('\n')}
${lines.join('\n')}
</svg>
`;
}
