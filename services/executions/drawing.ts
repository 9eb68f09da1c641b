import type { Graph } from './graph.ts';
import { layoutOf, type Layout, type PlacedNode, type Point } from './layout.ts';
import type { Visit } from './timeline.ts';

const MARGIN = 28;

/** What befell a state: the last visit counts, and how often it was tried again. */
type Fate = { outcome: Visit['outcome']; visits: number; retries: number };

/** The workflow as SVG, its states marked by what happened in them. Styles stand in drawing.css. */
export function drawingOf(graph: Graph, visits: readonly Visit[]): string {
  const fates = new Map<string, Fate>();
  const taken = new Set<string>();
  for (const visit of visits) {
    const before = fates.get(visit.state);
    fates.set(visit.state, {
      outcome: visit.outcome,
      visits: (before?.visits ?? 0) + 1,
      retries: (before?.retries ?? 0) + visit.retries,
    });
    if (visit.from !== undefined) {
      const previous = visits.findLast((each) => each.state === visit.from && each.enteredAt <= visit.enteredAt);
      const kinds = graph.edges.filter((edge) => edge.from === visit.from && edge.to === visit.state);
      const caught = previous?.outcome === 'caught' && kinds.some(({ kind }) => kind === 'catch');
      taken.add(`${visit.from}\n${visit.state}\n${caught ? 'catch' : 'on'}`);
    }
  }
  const layout = layoutOf(graph);
  const size = { width: layout.width + 2 * MARGIN, height: layout.height + 2 * MARGIN };
  return `<svg class="drawing" viewBox="0 0 ${n(size.width)} ${n(size.height)}" width="${n(size.width)}" height="${n(size.height)}" role="img" aria-label="The workflow, with the states that the execution went through">
<defs>${['still', 'taken', 'caught'].map((kind) => `<marker id="head-${kind}" class="head ${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker>`).join('')}</defs>
<g transform="translate(${MARGIN} ${MARGIN})">${scope(layout, fates, taken)}</g></svg>`;
}

function scope(layout: Layout, fates: ReadonlyMap<string, Fate>, taken: ReadonlySet<string>): string {
  const edges = layout.edges.map(({ edge, points }) => {
    const used = taken.has(`${edge.from}\n${edge.to}\n${edge.kind === 'catch' ? 'catch' : 'on'}`);
    const head = used ? (edge.kind === 'catch' ? 'caught' : 'taken') : 'still';
    const title =
      edge.label === '' ? '' : `<title>${escape(`${edge.kind === 'catch' ? 'on ' : ''}${edge.label}`)}</title>`;
    return {
      used,
      svg: `<path class="edge ${edge.kind} ${used ? 'used' : ''}" d="${curve(points)}" marker-end="url(#head-${head})">${title}</path>`,
    };
  });
  // What was taken lies above what was not.
  const lines = edges.toSorted((a, b) => Number(a.used) - Number(b.used)).map(({ svg }) => svg);
  return `${lines.join('')}${layout.nodes.map((placed) => box(placed, fates, taken)).join('')}`;
}

function box(placed: PlacedNode, fates: ReadonlyMap<string, Fate>, taken: ReadonlySet<string>): string {
  const { node, x, y, width, height, inner } = placed;
  const fate = fates.get(node.name);
  const middle = x + width / 2;
  const words = [node.comment, fate ? wordsOf(fate) : 'not entered'].filter(Boolean).join('\n');
  const loop = node.retries
    ? `<g class="loop ${fate && fate.retries > 0 ? 'used' : ''}"><path d="M${n(x + width)} ${n(y + 14)}c22 -4 22 20 0 16" marker-end="url(#head-${fate && fate.retries > 0 ? 'caught' : 'still'})"/>${fate && fate.retries > 0 ? `<text x="${n(x + width + 20)}" y="${n(y + 26)}">${fate.retries}×</text>` : ''}</g>`
    : '';
  const label = inner.length > 0 ? y + 18 : y + 19;
  return `<g class="state ${node.type.toLowerCase()} ${fate?.outcome ?? 'idle'}"><title>${escape(words)}</title>${loop}<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${node.type === 'Choice' ? HALF : node.type === 'Succeed' || node.type === 'Fail' ? 14 : 7}"/><text class="name" x="${n(middle)}" y="${n(label)}">${escape(node.name)}</text><text class="type" x="${n(middle)}" y="${n(label + 15)}">${escape(node.type)}${fate && fate.visits > 1 ? ` · ${fate.visits} times` : ''}</text>${inner
    .map(
      (child) =>
        `<g transform="translate(${n(x + child.x)} ${n(y + child.y)})">${scope(child.layout, fates, taken)}</g>`,
    )
    .join('')}</g>`;
}

const HALF = 22;

function wordsOf({ outcome, visits, retries }: Fate): string {
  return [
    outcome,
    visits > 1 ? `entered ${visits} times` : '',
    retries > 0 ? `${retries} ${retries === 1 ? 'retry' : 'retries'}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** Straight where it passes a row, an S between rows. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let at = first;
  let path = `M${n(first.x)} ${n(first.y)}`;
  for (const point of rest) {
    const half = (point.y - at.y) / 2;
    path +=
      at.x === point.x
        ? `L${n(point.x)} ${n(point.y)}`
        : `C${n(at.x)} ${n(at.y + half)} ${n(point.x)} ${n(point.y - half)} ${n(point.x)} ${n(point.y)}`;
    at = point;
  }
  return path;
}

const n = (value: number): string => String(Math.round(value * 10) / 10);

/** For text and attributes of HTML and SVG. */
export const escape = (value: string): string => value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
