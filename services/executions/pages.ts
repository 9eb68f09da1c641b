import type { Reply } from '../../shared/http.ts';
import { drawingOf, escape } from './drawing.ts';
import { graphOf } from './graph.ts';
import type { Visit } from './timeline.ts';

export type Summary = {
  workflow: string;
  name: string;
  type: 'STANDARD' | 'EXPRESS';
  status: string;
  error: string | null;
  startedAt: number;
  endedAt: number | null;
  comment: string | null;
};

export type Details = Summary & {
  arn: string;
  /** JSON; null where only a trace is left. */
  input: string | null;
  output: string | null;
  cause: string | null;
  definition: unknown;
  /** The workflow has another definition by now. */
  outdated: boolean;
  visits: readonly Visit[];
};

/** A run as the comment's log remembers it. */
export type TraceRow = {
  workflow: string;
  name: string;
  attempt: number;
  startedAt: number;
  ms: number;
  states: string;
};

export type Filter = { workflow?: string | undefined; status?: string | undefined; comment?: string | undefined };

const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'];
const LONGEST_JSON = 20_000;

/** All executions that are kept, newest first. */
export function listPage({
  executions,
  next,
  filter,
  workflows,
  traces,
}: {
  executions: readonly Summary[];
  next: string | undefined;
  filter: Filter;
  workflows: readonly string[];
  traces: readonly TraceRow[];
}): Reply {
  const option = (value: string, chosen: string | undefined, words = value) =>
    `<option value="${escape(value)}"${value === (chosen ?? '') ? ' selected' : ''}>${escape(words)}</option>`;
  const rows = executions.map(
    (each) =>
      `<tr><td><a href="${hrefOf(each)}">${escape(each.name)}</a></td><td>${escape(each.workflow)}</td><td>${each.comment ? `<a href="/executions?comment=${encodeURIComponent(each.comment)}">${escape(each.comment)}</a>` : ''}</td><td>${badge(each.status)}${each.error ? ` <span class="quiet">${escape(each.error)}</span>` : ''}</td><td>${time(each.startedAt)}</td><td class="number">${each.endedAt === null ? '' : lasted(each.endedAt - each.startedAt)}</td></tr>`,
  );
  const remembered = traces.map(
    (each) =>
      `<tr><td><a href="${hrefOf(each)}?comment=${encodeURIComponent(filter.comment ?? '')}">${escape(each.name)}</a></td><td>${escape(each.states)}</td><td class="number">${each.attempt > 0 ? `attempt ${each.attempt + 1}` : ''}</td><td>${time(each.startedAt)}</td><td class="number">${lasted(each.ms)}</td></tr>`,
  );
  const body = `<form class="filter" method="get" action="/executions">
<label>Workflow <select name="workflow">${option('', filter.workflow, 'all')}${workflows.map((name) => option(name, filter.workflow)).join('')}</select></label>
<label>Status <select name="status">${option('', filter.status, 'all')}${STATUSES.map((status) => option(status, filter.status, word(status))).join('')}</select></label>
<label>Comment <input name="comment" value="${escape(filter.comment ?? '')}" placeholder="its id" size="28" autocomplete="off" spellcheck="false"></label>
<button>Find</button></form>
${
  rows.length > 0
    ? `<table><thead><tr><th>Execution</th><th>Workflow</th><th>Comment</th><th>Status</th><th>Started</th><th class="number">Took</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
    : '<p class="quiet">There is none of these.</p>'
}
${next ? `<p><a href="/executions?${escape(new URLSearchParams({ ...defined(filter), cursor: next }).toString())}">Older ones</a></p>` : ''}
${remembered.length > 0 ? `<h2>Runs that the comment remembers</h2><table><thead><tr><th>Run</th><th>States</th><th></th><th>Started</th><th class="number">Took</th></tr></thead><tbody>${remembered.join('')}</tbody></table>` : ''}
<p class="quiet">Standard executions are all here, for 90 days after their end. Of Express runs: those in which a step failed, all at a walking pace, and one in a hundred under load; a comment's own log remembers each run of it.</p>`;
  return page('Executions', `<header><h1>Executions</h1></header>${body}`, false);
}

/** One execution, drawn over its workflow. While it runs, live.ts asks for this part again each second. */
export function detailPage(details: Details): Reply {
  return page(
    `${details.name} · Executions`,
    `<header><p><a href="/executions">All executions</a></p></header><div id="execution">${detailBody(details)}</div>`,
    details.status === 'RUNNING',
  );
}

export function detailBody({
  workflow,
  name,
  arn,
  type,
  status,
  error,
  cause,
  startedAt,
  endedAt,
  input,
  output,
  definition,
  outdated,
  visits,
  comment,
}: Details): string {
  const facts: [string, string][] = [
    [
      'Workflow',
      `${escape(workflow)} (${type === 'EXPRESS' ? 'Express' : 'Standard'})${outdated ? ', under an earlier definition, with which it began' : ''}`,
    ],
    ['Started', time(startedAt)],
    [endedAt === null ? 'Running for' : 'Took', lasted((endedAt ?? Date.now()) - startedAt)],
    ...(comment
      ? [
          ['Comment', `<a href="/executions?comment=${encodeURIComponent(comment)}">${escape(comment)}</a>`] as [
            string,
            string,
          ],
        ]
      : []),
    ['ARN', `<code>${escape(arn)}</code>`],
    ...(error ? [['Error', `<strong class="bad">${escape(error)}</strong>`] as [string, string]] : []),
  ];
  const from = startedAt;
  const to = Math.max(
    endedAt ?? Date.now(),
    ...visits.map(({ exitedAt, enteredAt }) => exitedAt ?? enteredAt),
    from + 1,
  );
  return `<h1>${escape(name)} ${badge(status)}</h1>
<dl>${facts.map(([what, words]) => `<dt>${what}</dt><dd>${words}</dd>`).join('')}</dl>
${cause ? `<pre class="bad">${escape(pretty(cause))}</pre>` : ''}
<div class="sides">
<section class="picture" tabindex="0" aria-label="The workflow">${drawingOf(graphOf(definition), visits)}
<p class="legend"><span class="succeeded">done</span><span class="running">here now</span><span class="caught">failed, caught</span><span class="failed">failed</span><span class="idle">not entered</span></p></section>
<section class="steps"><h2>What happened</h2>
<ol>${visits.map((visit, index) => step(visit, index, from, to)).join('') || '<li class="quiet">Nothing yet.</li>'}</ol>
<h2>Input and output</h2>
${input === null ? '<p class="quiet">This run was not in the sample: its comment remembers the states and their times alone.</p>' : json('Input', input, 'input')}${output === null ? '' : json('Output', output, 'output')}
</section></div>`;
}

function step(visit: Visit, index: number, from: number, to: number): string {
  const { state, type, enteredAt, exitedAt, outcome, retries, faults, input, output, assigned } = visit;
  const scale = 1000 / (to - from);
  const x = (enteredAt - from) * scale;
  const width = Math.max(4, ((exitedAt ?? to) - enteredAt) * scale);
  const words = [
    exitedAt === undefined ? `since ${time(enteredAt)}` : lasted(exitedAt - enteredAt),
    retries > 0 ? `${retries} ${retries === 1 ? 'retry' : 'retries'}` : '',
    outcome === 'succeeded' ? '' : outcome === 'caught' ? 'failed, caught' : outcome,
  ].filter(Boolean);
  const parts = [
    ...faults.map(
      ({ error, cause, at }, attempt) =>
        `<p class="fault"><strong>${escape(error || 'Error')}</strong> <span class="quiet">attempt ${attempt + 1}, ${time(at)}</span></p>${cause ? `<pre>${escape(pretty(cause))}</pre>` : ''}`,
    ),
    input === undefined ? '' : json('Input', input, `${index}-input`),
    assigned
      ? json(
          'Assigned',
          JSON.stringify(Object.fromEntries(Object.entries(assigned).map(([key, value]) => [key, parsed(value)]))),
          `${index}-assigned`,
        )
      : '',
    output === undefined ? '' : json('Output', output, `${index}-output`),
  ].filter(Boolean);
  return `<li class="${outcome}"><details data-key="${index}"><summary><span class="dot"></span><b>${escape(state)}</b> <span class="quiet">${escape(type)} · ${words.join(' · ')}</span>
<svg class="bar" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true"><rect class="all" width="1000" height="6"/><rect x="${x.toFixed(1)}" width="${Math.min(width, 1000 - Math.min(x, 996)).toFixed(1)}" height="6"/></svg></summary>${parts.join('') || '<p class="quiet">Nothing more is kept.</p>'}</details></li>`;
}

const json = (title: string, text: string, key: string): string =>
  `<details class="json" data-key="${key}"><summary>${title}</summary><pre>${escape(pretty(text))}</pre></details>`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Indented where it is JSON; long ones are cut. */
function pretty(text: string): string {
  const value = parsed(text);
  const long = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return long.length > LONGEST_JSON
    ? `${long.slice(0, LONGEST_JSON)}\n… ${long.length - LONGEST_JSON} more characters`
    : long;
}

const hrefOf = ({ workflow, name }: { workflow: string; name: string }): string =>
  `/executions/${encodeURIComponent(workflow)}/${encodeURIComponent(name)}`;

const word = (status: string): string => status.toLowerCase().replace('_', ' ');
const badge = (status: string): string =>
  `<span class="badge ${escape(status.toLowerCase())}">${escape(word(status))}</span>`;

const time = (at: number): string => {
  const iso = new Date(at).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')}</time>`;
};

/** In the unit that a person would say it in. */
export function lasted(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d ${Math.round((ms % 86_400_000) / 3_600_000)} h`;
}

const defined = (filter: Filter): Record<string, string> =>
  Object.fromEntries(Object.entries(filter).filter((pair): pair is [string, string] => Boolean(pair[1])));

export function page(title: string, body: string, live: boolean, status = 200): Reply {
  return {
    status,
    raw: {
      type: 'text/html; charset=utf-8',
      text: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>${escape(title)}</title><link rel="stylesheet" href="/executions/executions.css">${live ? '<script type="module" src="/executions/live.js"></script>' : ''}</head>
<body><main>${body}</main></body></html>
`,
    },
    headers: {
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
  };
}
