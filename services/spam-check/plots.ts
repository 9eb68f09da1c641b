/**
 * Pictures of figures, as terminal text and as SVG.
 */
import type { Scored } from './metrics.ts';

const BINS = 10;

/** What was foretold beside what was, in ten bins. */
function reliability(rows: readonly Scored[]): { n: number; foretold: number; found: number }[] {
  const bins = Array.from({ length: BINS }, () => ({ n: 0, foretold: 0, found: 0 }));
  for (const { score, label } of rows) {
    const bin = bins[Math.min(BINS - 1, Math.floor(score * BINS))]!;
    bin.n++;
    bin.foretold += score;
    bin.found += label;
  }
  return bins.map(({ n, foretold, found }) => ({ n, foretold: foretold / n, found: found / n }));
}

/** One line a bin: `o` where the bin's scores say, `#` what was found. */
export function reliabilityPlot(rows: readonly Scored[]): string {
  const width = 50;
  const lines = reliability(rows).map(({ n, foretold, found }, b) => {
    const name = `${(b / BINS).toFixed(1)}-${((b + 1) / BINS).toFixed(1)}`;
    if (n === 0) return `${name} ${' '.repeat(width + 1)} n=0`;
    const bar = [...'#'.repeat(Math.round(found * width)).padEnd(width + 1)];
    bar[Math.round(foretold * width)] = 'o';
    return `${name} ${bar.join('')} n=${n} foretold ${foretold.toFixed(3)} found ${found.toFixed(3)}`;
  });
  return ['reliability: # what was found, o what the scores foretold', ...lines].join('\n');
}

const INK = '#222';
const SIZE = 360;
const PAD = 44;
const at = (value: number) => (PAD + value * (SIZE - 2 * PAD)).toFixed(1);
const up = (value: number) => (SIZE - PAD - value * (SIZE - 2 * PAD)).toFixed(1);

export function reliabilitySvg(rows: readonly Scored[]): string {
  const dots = reliability(rows)
    .filter(({ n }) => n > 0)
    .map(
      ({ n, foretold, found }) =>
        `<circle cx="${at(foretold)}" cy="${up(found)}" r="${Math.max(3, Math.log2(n)).toFixed(1)}" fill="#2563a8" fill-opacity=".75"><title>${n} comments, foretold ${foretold.toFixed(3)}, found ${found.toFixed(3)}</title></circle>`,
    );
  return frame('Reliability: foretold P(spam) against the share that was spam', SIZE, [
    `<line x1="${at(0)}" y1="${up(0)}" x2="${at(1)}" y2="${up(1)}" stroke="#999" stroke-dasharray="4 4"/>`,
    ...[0, 0.5, 1].flatMap((v) => [
      label(at(v), `${SIZE - PAD + 18}`, String(v)),
      label(`${PAD - 20}`, up(v), String(v)),
    ]),
    label(at(0.5), `${SIZE - 8}`, 'foretold'),
    ...dots,
  ]);
}

export type Line = { name: string; points: readonly { x: number; y: number }[] };
const COLOURS = ['#2563a8', '#b4451f', '#2f7d4f', '#7a3e9d', '#8a6d00', '#0f7b83', '#a02c6d', '#555'];

/** Lines over a few common x values, evenly spaced whatever their distance. */
export function linesSvg(title: string, xs: readonly number[], lines: readonly Line[], floor: number): string {
  const width = 720;
  const x = (value: number) => PAD + (xs.indexOf(value) / Math.max(1, xs.length - 1)) * (width - 240);
  const y = (value: number) => SIZE - PAD - ((value - floor) / (1 - floor)) * (SIZE - 2 * PAD);
  return frame(title, width, [
    ...xs.map((value) => label(x(value).toFixed(1), `${SIZE - PAD + 18}`, String(value))),
    ...[floor, (floor + 1) / 2, 1].flatMap((value) => [
      label(`${PAD - 22}`, y(value).toFixed(1), value.toFixed(2)),
      `<line x1="${PAD}" x2="${width - 196}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#ddd"/>`,
    ]),
    ...lines.flatMap(({ name, points }, i) => {
      const colour = COLOURS[i % COLOURS.length]!;
      return [
        `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.map((p) => `${x(p.x).toFixed(1)},${y(p.y).toFixed(1)}`).join(' ')}"/>`,
        `<text x="${width - 180}" y="${PAD + i * 18}" fill="${colour}" font-size="12">${name}</text>`,
      ];
    }),
  ]);
}

const label = (x: string, y: string, text: string) =>
  `<text x="${x}" y="${y}" font-size="12" text-anchor="middle" fill="${INK}">${text}</text>`;

const frame = (title: string, width: number, inside: readonly string[]) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${SIZE}" font-family="system-ui, sans-serif" role="img" aria-label="${title}">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${PAD}" y="22" font-size="13" fill="${INK}">${title}</text>
${inside.join('\n')}
</svg>
`;
