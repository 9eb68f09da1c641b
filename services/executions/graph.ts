/** A workflow as boxes and arrows. */
export type Graph = { start: string; nodes: readonly Node[]; edges: readonly Edge[] };
export type Node = {
  name: string;
  /** Task, Choice, Wait … */
  type: string;
  comment: string;
  /** What it calls, for a Task: the last part of the ARN. */
  calls: string;
  retries: boolean;
  /** Branches of a Parallel, the processor of a Map. */
  inner: readonly Graph[];
};
export type Edge = { from: string; to: string; kind: 'next' | 'choice' | 'catch'; label: string };

type Fields = { readonly [key: string]: unknown };

/** Reads the boxes and arrows out of a definition; what is no part of one is passed over. */
export function graphOf(definition: unknown): Graph {
  const { StartAt: start, States: states } = fields(definition);
  const listed = Object.entries(fields(states));
  const edges: Edge[] = [];
  const add = (from: string, to: unknown, kind: Edge['kind'], label = ''): void => {
    if (typeof to !== 'string') return;
    const same = edges.find((edge) => edge.from === from && edge.to === to && edge.kind === kind);
    if (same) same.label = [same.label, label].filter(Boolean).join('; ');
    else edges.push({ from, to, kind, label });
  };
  const nodes = listed.map(([name, value]): Node => {
    const state = fields(value);
    for (const rule of list(state.Choices)) add(name, rule.Next, 'choice', conditionOf(rule));
    add(name, state.Default, 'choice', 'otherwise');
    add(name, state.Next, 'next');
    for (const catcher of list(state.Catch)) add(name, catcher.Next, 'catch', errorsOf(catcher));
    const inner = [...list(state.Branches), ...[state.ItemProcessor ?? state.Iterator].filter(Boolean)];
    return {
      name,
      type: String(state.Type ?? ''),
      comment: String(state.Comment ?? ''),
      calls: String(state.Resource ?? '')
        .split(':')
        .slice(-1)
        .join(''),
      retries: list(state.Retry).length > 0,
      inner: inner.map(graphOf),
    };
  });
  const known = new Set(nodes.map(({ name }) => name));
  return { start: String(start ?? ''), nodes, edges: edges.filter(({ to }) => known.has(to)) };
}

const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fields) : []);

const errorsOf = ({ ErrorEquals: errors }: Fields): string =>
  Array.isArray(errors) ? errors.map(String).join(', ') : '';

function conditionOf({
  Condition: condition,
  Next: _next,
  Assign: _assign,
  Output: _output,
  Comment: _comment,
  ...test
}: Fields): string {
  return typeof condition === 'string' ? condition.replace(/^\{%\s*|\s*%\}$/g, '') : JSON.stringify(test);
}
