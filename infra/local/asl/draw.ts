import type { Catcher, Machine, Retrier, Rule, Scope, State } from './states.ts';
import { isObject } from './env.ts';
import type { Json } from './types.ts';

/**
 * Draws a machine as a Mermaid state diagram: branches and item processors as composite states, retries as loops,
 * catches and choices as labelled arrows.
 */
export function draw(machine: Machine): string {
  const lines = ['stateDiagram-v2'];
  let used = 0;
  const drawScope = (scope: Scope, definition: Json | undefined, indent: string): void => {
    const listed = member(definition, 'States');
    const ids = new Map([...scope.states.keys()].map((name) => [name, `s${(used += 1)}`] as const));
    const id = (name: string): string => ids.get(name) as string;
    const arrow = (from: string, to: string, label = ''): void => {
      lines.push(`${indent}${from} --> ${to}${label === '' ? '' : ` : ${escape(label)}`}`);
    };
    for (const state of scope.states.values()) {
      const fields = member(listed, state.name);
      const inner = innerScopes(state, fields);
      const title = `state "${escape(state.name)}" as ${id(state.name)}`;
      lines.push(`${indent}${title}${inner.length > 0 ? ' {' : ''}`);
      for (const [index, [child, childFields]] of inner.entries()) {
        if (index > 0) lines.push(`${indent}  --`);
        drawScope(child, childFields, `${indent}  `);
      }
      if (inner.length > 0) lines.push(`${indent}}`);
    }
    arrow('[*]', id(scope.startAt));
    for (const state of scope.states.values()) {
      const from = id(state.name);
      if (state.type === 'Choice') {
        const rules = member(member(listed, state.name), 'Choices');
        for (const [index, rule] of state.rules.entries()) {
          arrow(from, id(rule.next), ruleLabel(rule, Array.isArray(rules) ? rules[index] : undefined));
        }
        if (state.otherwise !== null) arrow(from, id(state.otherwise), 'default');
        continue;
      }
      if ('retry' in state) {
        for (const retrier of state.retry) arrow(from, from, retryLabel(retrier));
        for (const catcher of state.catch) arrow(from, id(catcher.next), catchLabel(catcher));
      }
      if (state.type === 'Fail') arrow(from, '[*]', 'fails');
      else arrow(from, state.next === null ? '[*]' : id(state.next));
    }
  };
  drawScope(machine.scope, machine.definition, '  ');
  return `${lines.join('\n')}\n`;
}

const member = (value: Json | undefined, name: string): Json | undefined =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

function innerScopes(state: State, fields: Json | undefined): [Scope, Json | undefined][] {
  if (state.type === 'Map') return [[state.processor, member(fields, 'ItemProcessor') ?? member(fields, 'Iterator')]];
  if (state.type !== 'Parallel') return [];
  const branches = member(fields, 'Branches');
  return state.branches.map((branch, index) => [branch, Array.isArray(branches) ? branches[index] : undefined]);
}

const LONGEST_LABEL = 80;

function ruleLabel(rule: Rule, fields: Json | undefined): string {
  let text = '';
  if (rule.condition.of === 'expression') text = rule.condition.test.source;
  else if (isObject(fields)) {
    const { Next: _next, Assign: _assign, Comment: _comment, ...test } = fields;
    text = JSON.stringify(test);
  }
  return text.length > LONGEST_LABEL ? `${text.slice(0, LONGEST_LABEL - 1)}…` : text;
}

function retryLabel({ errors, maxAttempts, intervalSeconds, backoffRate, fullJitter }: Retrier): string {
  const pace = `${intervalSeconds} s${backoffRate > 1 ? ` ×${backoffRate}` : ''}${fullJitter ? ' with jitter' : ''}`;
  return `retry ${errors.join(', ')} (at most ${maxAttempts}, after ${pace})`;
}

const catchLabel = ({ errors }: Catcher): string => `catch ${errors.join(', ')}`;

/** Mermaid ends a label at a colon, semicolon or line end, and a name at a quote. */
const escape = (text: string): string =>
  text.replace(/[#;:"{}<>]/g, (sign) => `#${sign.charCodeAt(0)};`).replace(/\s+/g, ' ');
