import type { Graph } from './graph.ts';

/** An event of a history, as GetExecutionHistory has it; times in ms since the epoch. */
export type HistoryEvent = {
  id: number;
  previousEventId: number;
  timestamp: number;
  type: string;
  [details: string]: unknown;
};

/** One stay in one state. */
export type Visit = {
  state: string;
  type: string;
  enteredAt: number;
  exitedAt?: number;
  /** JSON, as the history has it. */
  input?: string;
  output?: string;
  assigned?: Record<string, string>;
  /** What each failed attempt said; the last is what left the state where it was caught or failed. */
  faults: { error: string; cause: string; at: number }[];
  /** Attempts after the first. */
  retries: number;
  outcome: 'succeeded' | 'caught' | 'failed' | 'running' | 'stopped';
  /** The state that this visit came from. */
  from?: string;
};

type Details = Record<string, unknown>;

/**
 * The states that a history went through, in order of entry.
 *
 * @param ended how the execution ended; undefined while it runs
 */
export function visitsOf(events: readonly HistoryEvent[], ended: string | undefined): readonly Visit[] {
  const visits: Visit[] = [];
  /** Which visit an event belongs to. */
  const owner = new Map<number, Visit>();
  for (const event of events) {
    const details = detailsOf(event);
    const before = owner.get(event.previousEventId);
    if (event.type.endsWith('StateEntered')) {
      const visit: Visit = {
        state: text(details.name),
        type: event.type.replace('StateEntered', ''),
        enteredAt: event.timestamp,
        ...(typeof details.input === 'string' && { input: details.input }),
        faults: [],
        retries: 0,
        outcome: 'running',
        ...(before && { from: before.state }),
      };
      visits.push(visit);
      owner.set(event.id, visit);
      continue;
    }
    if (event.type.endsWith('StateExited')) {
      const name = text(details.name);
      const visit = visits.findLast((each) => each.state === name && each.exitedAt === undefined);
      if (!visit) continue;
      visit.exitedAt = event.timestamp;
      // A catch leaves the state by its last fault, with nothing that succeeded after it.
      visit.outcome = visit.faults.length > visit.retries ? 'caught' : 'succeeded';
      if (typeof details.output === 'string') visit.output = details.output;
      if (typeof details.assignedVariables === 'object' && details.assignedVariables !== null) {
        visit.assigned = details.assignedVariables as Record<string, string>;
      }
      owner.set(event.id, visit);
      continue;
    }
    if (!before) continue;
    owner.set(event.id, before);
    if (
      /^(Task|LambdaFunction|Activity|Evaluation|MapIteration)?(Failed|TimedOut|SubmitFailed|StartFailed)$|Failed$|TimedOut$/.test(
        event.type,
      ) &&
      !event.type.startsWith('Execution')
    ) {
      before.faults.push({ error: text(details.error), cause: text(details.cause), at: event.timestamp });
    } else if (/^(Task|LambdaFunction|Activity)Scheduled$/.test(event.type) && before.faults.length > before.retries) {
      before.retries += 1;
    }
  }
  const last = events.at(-1)?.timestamp;
  for (const visit of visits) {
    if (visit.outcome !== 'running' || ended === undefined) continue;
    // A terminal state that was never exited, or one in which the execution ended.
    if (ended === 'SUCCEEDED') visit.outcome = 'succeeded';
    else
      visit.outcome = ended === 'ABORTED' || (visit.faults.length === 0 && ended !== 'FAILED') ? 'stopped' : 'failed';
    if (last !== undefined) visit.exitedAt = last;
  }
  return visits;
}

/** A run of which only the trace in its comment's log is left: times and retries, no inputs. */
export function visitsOfTrace({
  startedAt,
  states,
}: {
  startedAt: number;
  states: readonly { name: string; ms: number; retries: number; code?: string }[];
}): readonly Visit[] {
  let at = startedAt;
  return states.map(({ name, ms, retries, code }) => {
    const enteredAt = at;
    at += ms;
    return {
      state: name,
      type: 'Task',
      enteredAt,
      exitedAt: at,
      faults: code ? [{ error: code, cause: '', at }] : [],
      retries,
      outcome: code ? ('caught' as const) : ('succeeded' as const),
    };
  });
}

/**
 * A trace tells the tasks alone: with the choices and passes between them, by the shortest way through the graph.
 *
 * @returns the visits in order, each with the state that it was entered from
 */
export function throughGraph(graph: Graph, visits: readonly Visit[]): readonly Visit[] {
  const whole: Visit[] = [];
  let before: string | undefined;
  for (const visit of visits) {
    const way =
      before === undefined ? wayTo(graph, graph.start, visit.state) : wayTo(graph, before, visit.state).slice(1);
    for (const state of way.slice(0, -1)) {
      const type = graph.nodes.find(({ name }) => name === state)?.type ?? '';
      const at = visit.enteredAt;
      whole.push({
        ...visit,
        state,
        type,
        enteredAt: at,
        exitedAt: at,
        faults: [],
        retries: 0,
        outcome: 'succeeded',
        ...from(before),
      });
      before = state;
    }
    whole.push({ ...visit, ...from(before) });
    before = visit.state;
  }
  return whole;
}

const from = (state: string | undefined) => (state === undefined ? {} : { from: state });

/** The names from one state to another, both included; the goal alone where no way leads there. */
function wayTo(graph: Graph, start: string, goal: string): readonly string[] {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way; way = ways.shift()) {
    const last = way.at(-1) ?? '';
    if (last === goal && (way.length > 1 || start === goal)) return way;
    for (const { from: here, to, kind } of graph.edges) {
      if (here !== last || kind === 'catch' || seen.has(to)) continue;
      seen.add(to);
      ways.push([...way, to]);
    }
  }
  return [start, goal];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function detailsOf(event: HistoryEvent): Details {
  const [, details] = Object.entries(event).find(([name]) => name.endsWith('EventDetails')) ?? [];
  return typeof details === 'object' && details !== null ? (details as Details) : {};
}
