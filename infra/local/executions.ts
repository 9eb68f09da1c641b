import { SluiceError } from '../../shared/errors.ts';
import type { Clock } from '../../shared/ports.ts';
import type { HistoryEvent, Json, Status } from './asl/types.ts';
import type { Database } from './database.ts';

/** A run of a workflow that is kept: every Standard one, and of the Express ones those that `offer` took. */
export type Execution = {
  type: 'STANDARD' | 'EXPRESS';
  workflow: string;
  name: string;
  status: Status;
  /** Hash of the definition that it runs, whatever the workflow's present one. */
  definition: string;
  /** JSON, as it came. */
  input: string;
  output: string | null;
  error: string | null;
  cause: string | null;
  startedAt: number;
  endedAt: number | null;
  /** The id of the comment that it is about, where that can be told. */
  comment: string | null;
};
type Row = Execution & { id: number };

/** One Express run that ended, with the means to make its history. */
export type Run = {
  workflow: string;
  name: string;
  definition: string;
  status: Status;
  input: Json;
  output?: Json | undefined;
  error?: string | null | undefined;
  cause?: string | null | undefined;
  startedAt: number;
  endedAt: number;
  /** Some step failed, though the run may have got over it. */
  troubled: boolean;
  events(): readonly HistoryEvent[];
};

export type ListQuery = {
  workflow?: string | undefined;
  type?: Execution['type'] | undefined;
  status?: Status | undefined;
  /** The id of the comment that it is about. */
  comment?: string | undefined;
  /** 1..1000 */
  limit: number;
  cursor?: string | undefined;
};

/** Of every 100 Express runs that ended well under load, one is kept. */
const SAMPLE = 100;
/** At a walking pace every run is kept: this many at once, and this many a second on average. */
const BURST = 20;
const PER_SECOND = 5;
/** As on AWS, after this an ended Standard execution is gone and its name free. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const KEEP_DAYS = 90;
const SWEEP_BATCH = 500;
/** A message in JSON in an event in JSON: quotes come with backslashes before them. */
const EMAIL = /(\\*"email\\*"\s*:\s*\\*")[^"\\]*/g;

export type Executions = ReturnType<typeof localExecutions>;

/**
 * What is kept of executions, for the AWS endpoint and the page.
 *
 * Express histories: runs in which a step failed, and a sample of the others: all of them at a walking pace (up to 20 at
 * once, 5 a second), one in 100 beyond it. Runs with failures share that pace, at most ten times as fast, so that an
 * outage does not slow down what still works. Together they take at most `limitBytes`; the oldest go first. A written
 * history holds no e-mail address.
 */
export function localExecutions(database: Database, clock: Clock, { limitBytes }: { limitBytes: number }) {
  const { sqlite } = database;
  const columns = `workflow, name, status, definition, input, output, error, cause, started_at AS startedAt, ended_at AS endedAt`;
  const standard = `'STANDARD' AS type, ${columns}, CAST(input ->> '$.id' AS TEXT) AS comment`;
  const express = `'EXPRESS' AS type, ${columns}, subject AS comment`;
  const findStandard = sqlite.prepare(`SELECT id, ${standard} FROM execution WHERE workflow = ? AND name = ?`);
  const findExpress = sqlite.prepare(`SELECT id, ${express} FROM express WHERE workflow = ? AND name = ?`);
  const standardEvents = sqlite.prepare('SELECT event FROM history WHERE execution = ? ORDER BY id');
  const expressEvents = sqlite.prepare('SELECT events FROM express WHERE id = ?');
  const definition = sqlite.prepare('SELECT body FROM definition WHERE hash = ?');
  const insert = sqlite.prepare(
    `INSERT INTO express (workflow, name, definition, status, subject, input, output, error, cause, started_at, ended_at, events, bytes)
     VALUES ($workflow, $name, $definition, $status, $subject, $input, $output, $error, $cause, $startedAt, $endedAt, $events, $bytes)`,
  );
  const dropOldest = sqlite.prepare('DELETE FROM express WHERE id = (SELECT min(id) FROM express) RETURNING bytes');
  const dropSubject = sqlite.prepare('DELETE FROM express WHERE subject = ? RETURNING bytes');
  const ended = sqlite.prepare(`SELECT id FROM execution WHERE ended_at < ? ORDER BY started_at LIMIT ${SWEEP_BATCH}`);
  const dropHistory = sqlite.prepare('DELETE FROM history WHERE execution = ?');
  const dropExecution = sqlite.prepare('DELETE FROM execution WHERE id = ?');
  let bytes = (sqlite.prepare('SELECT coalesce(sum(bytes), 0) AS bytes FROM express').get() as { bytes: number }).bytes;

  const fine = bucket(BURST, PER_SECOND);
  const bad = bucket(BURST * 10, PER_SECOND * 10);
  let seen = 0;

  const find = (workflow: string, name: string): Row | undefined =>
    (findStandard.get(workflow, name) ?? findExpress.get(workflow, name)) as Row | undefined;

  return {
    /** Keeps a run's history, or not; costs next to nothing where not. */
    offer(run: Run): void {
      seen += 1;
      const now = clock.now();
      const wanted = run.status !== 'SUCCEEDED' || run.troubled ? bad(now) : fine(now) || seen % SAMPLE === 0;
      if (!wanted) return;
      const row = {
        $workflow: run.workflow,
        $name: run.name,
        $definition: run.definition,
        $status: run.status,
        $subject: subjectOf(run.input) ?? null,
        $input: masked(JSON.stringify(run.input)),
        $output: run.output === undefined ? null : masked(JSON.stringify(run.output)),
        $error: run.error ?? null,
        $cause: run.cause ?? null,
        $startedAt: run.startedAt,
        $endedAt: run.endedAt,
        $events: masked(JSON.stringify(run.events())),
      };
      const size = Object.values(row).reduce<number>(
        (sum, value) => sum + (typeof value === 'string' ? value.length : 8),
        0,
      );
      if (size > limitBytes) return;
      database
        .write(() => {
          insert.run({ ...row, $bytes: size });
          bytes += size;
          while (bytes > limitBytes) bytes -= (dropOldest.get() as { bytes: number }).bytes;
        })
        // A history that was not written is no fault of the run.
        .catch(() => undefined);
    },

    /** Newest first. */
    list({ workflow, type, status, comment, limit, cursor }: ListQuery): {
      executions: readonly Execution[];
      cursor?: string;
    } {
      const [at, name] = cursor === undefined ? [] : readCursor(cursor);
      const filters = [
        ...(workflow === undefined ? [] : ['workflow = $workflow']),
        ...(status === undefined ? [] : ['status = $status']),
        ...(at === undefined ? [] : ['started_at <= $at AND (started_at < $at OR name < $name)']),
      ];
      const where = (...more: string[]): string => {
        const all = [...filters, ...more];
        return all.length > 0 ? `WHERE ${all.join(' AND ')}` : '';
      };
      // A review is named {comment}-{version}: '.' is the sign after '-'.
      const parts = [
        ...(type === 'EXPRESS'
          ? []
          : [
              `SELECT ${standard} FROM execution ${where(...(comment === undefined ? [] : [`name >= $comment || '-' AND name < $comment || '.'`]))}`,
            ]),
        ...(type === 'STANDARD'
          ? []
          : [`SELECT ${express} FROM express ${where(...(comment === undefined ? [] : ['subject = $comment']))}`]),
      ];
      const rows = sqlite.prepare(`${parts.join(' UNION ALL ')} ORDER BY startedAt DESC, name DESC LIMIT $limit`).all({
        $limit: limit + 1,
        ...(workflow !== undefined && { $workflow: workflow }),
        ...(status !== undefined && { $status: status }),
        ...(comment !== undefined && { $comment: comment }),
        ...(at !== undefined && { $at: at, $name: name as string }),
      }) as Execution[];
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { executions: page, ...(rows.length > limit && last && { cursor: makeCursor(last) }) };
    },

    find(workflow: string, name: string): Execution | undefined {
      return find(workflow, name);
    },

    /** As GetExecutionHistory has it, oldest first. */
    history(workflow: string, name: string): readonly HistoryEvent[] {
      const row = find(workflow, name);
      if (!row) return [];
      if (row.type === 'EXPRESS')
        return JSON.parse((expressEvents.get(row.id) as { events: string }).events) as HistoryEvent[];
      return (standardEvents.all(row.id) as { event: string }[]).map(({ event }) => JSON.parse(event) as HistoryEvent);
    },

    /** The definition that an execution runs, by its hash. */
    definition(hash: string): Json | undefined {
      const row = definition.get(hash) as { body: string } | undefined;
      return row && (JSON.parse(row.body) as Json);
    },

    /** Forgets what was written down of a comment's Express runs. */
    async forget(comment: string): Promise<void> {
      await database.write(() => {
        for (const row of dropSubject.all(comment) as { bytes: number }[]) bytes -= row.bytes;
      });
    },

    /** Deletes Standard executions that ended 90 days ago. At most a batch at a time. */
    async sweep(): Promise<number> {
      const rows = ended.all(clock.now() - KEEP_DAYS * 86_400_000) as { id: number }[];
      if (rows.length === 0) return 0;
      await database.write(() => {
        for (const { id } of rows) {
          dropHistory.run(id);
          dropExecution.run(id);
        }
      });
      return rows.length;
    },
  };
}

/** Whether one more is let through: `burst` at once, `perSecond` on average. */
function bucket(burst: number, perSecond: number): (nowMs: number) => boolean {
  let left = burst;
  let last = 0;
  return (nowMs) => {
    left = Math.min(burst, left + (Math.max(0, nowMs - last) / 1000) * perSecond);
    last = nowMs;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

const masked = (json: string): string => (json.includes('email') ? json.replace(EMAIL, '$1(not kept)') : json);

/** The comment that a run is about: in the message that a pipe handed over, or in the input itself. */
function subjectOf(input: Json): string | undefined {
  const [first] = Array.isArray(input) ? input : [input];
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return undefined;
  if (typeof first.id === 'string') return first.id;
  if (typeof first.body !== 'string') return undefined;
  try {
    const event = JSON.parse(first.body) as { id?: unknown; detail?: { id?: unknown } };
    const id = event.detail?.id ?? event.id;
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

const makeCursor = ({ startedAt, name }: Execution): string =>
  Buffer.from(JSON.stringify([startedAt, name])).toString('base64url');

/** Throws `Request.Invalid` for what `list` did not make. */
function readCursor(cursor: string): [at: number, name: string] {
  try {
    const [at, name] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (typeof at === 'number' && typeof name === 'string') return [at, name];
  } catch {
    // Said below.
  }
  throw new SluiceError('Request.Invalid', 'the cursor is not one of ours', { hint: 'begin again without it' });
}
