import { z } from 'zod';
import type { LogRow } from '../../shared/comment.ts';
import { Id } from '../../shared/events.ts';
import type { Call, Reply, Route } from '../../shared/http.ts';
import {
  detailBody,
  detailPage,
  listPage,
  page,
  type Details,
  type TraceRow,
} from '../../services/executions/pages.ts';
import { graphOf } from '../../services/executions/graph.ts';
import { throughGraph, visitsOf, visitsOfTrace } from '../../services/executions/timeline.ts';
import type { Status } from './asl/types.ts';
import type { Runtime } from './runtime.ts';
import { executionArn } from './workflows.ts';

const PAGE = 50;
const optional = <T extends z.ZodType>(type: T) => z.union([z.literal(''), type]).optional();
const ListQuery = z.strictObject({
  workflow: optional(z.string().max(80)),
  status: optional(z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'])),
  comment: optional(Id),
  cursor: optional(z.string().max(400)),
});
const DetailQuery = z.strictObject({ comment: Id.optional() });

/** `/executions`: every execution that is kept, drawn over the definition that it runs. For admins. */
export function executionRoutes<Caller>({
  executions,
  workflows,
  topology,
  table,
}: Pick<Runtime, 'executions' | 'workflows' | 'topology' | 'table'>): readonly Route<Caller>[] {
  const tracesOf = async (comment: string): Promise<readonly NonNullable<LogRow['trace']>[]> => {
    const { items } = await table.query({ pk: `C#${comment}`, order: 'descending', limit: 1000 });
    return items.flatMap((item) => (item.trace ? [item.trace as NonNullable<LogRow['trace']>] : []));
  };

  const find = async (workflow: string, name: string, comment: string | undefined): Promise<Details | undefined> => {
    const arn = executionArn(workflow, name);
    const found = executions.find(workflow, name);
    if (found) {
      return {
        ...found,
        arn,
        definition: executions.definition(found.definition),
        outdated: workflows.hashOf(workflow) !== found.definition,
        visits: visitsOf(executions.history(workflow, name), found.status === 'RUNNING' ? undefined : found.status),
      };
    }
    if (comment === undefined || !Object.hasOwn(topology.workflows, workflow)) return undefined;
    const trace = (await tracesOf(comment)).find(({ executionId }) => executionId === arn);
    if (!trace) return undefined;
    const definition = executions.definition(workflows.hashOf(workflow) ?? '');
    const visits = throughGraph(graphOf(definition), visitsOfTrace(trace));
    return {
      workflow,
      name,
      arn,
      type: 'EXPRESS',
      status: 'SUCCEEDED',
      error: null,
      cause: null,
      input: null,
      output: null,
      startedAt: trace.startedAt,
      endedAt: visits.at(-1)?.exitedAt ?? trace.startedAt,
      definition,
      outdated: false,
      visits,
      comment,
    };
  };

  const list: Route<Caller> = {
    method: 'GET',
    path: '/executions',
    summary: 'Every execution that is kept, newest first',
    access: 'admin',
    query: ListQuery,
    responses: { 200: { description: 'A page (HTML)' } },
    async handle({ query }: Call<Caller>) {
      const { workflow, status, comment, cursor } = query as z.infer<typeof ListQuery>;
      const filter = {
        workflow: workflow || undefined,
        status: (status || undefined) as Status | undefined,
        comment: comment || undefined,
      };
      const listed = executions.list({ ...filter, limit: PAGE, cursor: cursor || undefined });
      const traces = filter.comment && !cursor ? await tracesOf(filter.comment) : [];
      return listPage({
        executions: listed.executions,
        next: listed.cursor,
        filter,
        workflows: Object.keys(topology.workflows),
        traces: traces.map((trace): TraceRow => ({
          workflow: trace.workflow,
          name: trace.executionId.split(':').at(-1) ?? '',
          attempt: trace.attempt,
          startedAt: trace.startedAt,
          ms: trace.states.reduce((sum, { ms }) => sum + ms, 0),
          states: trace.states
            .map(({ name, ms, retries }) => `${name} ${ms} ms${retries > 0 ? `, ${retries} retries` : ''}`)
            .join(' → '),
        })),
      });
    },
  };

  const one: Route<Caller> = {
    method: 'GET',
    path: '/executions/:workflow/:name',
    summary: 'One execution, drawn over its workflow',
    access: 'admin',
    query: DetailQuery,
    responses: { 200: { description: 'A page (HTML)' }, 404: { description: 'No such execution (HTML)' } },
    async handle({ params, query }: Call<Caller>) {
      const { comment } = query as z.infer<typeof DetailQuery>;
      const found = await find(params.workflow ?? '', params.name ?? '', comment);
      return found ? detailPage(found) : missing();
    },
  };

  const live: Route<Caller> = {
    method: 'GET',
    path: '/executions/:workflow/:name/live',
    summary: 'The page of an execution as it is now, for its script',
    access: 'admin',
    responses: {
      200: { description: 'Its HTML, and whether it still runs' },
      404: { description: 'No such execution' },
    },
    async handle({ params }: Call<Caller>) {
      const found = await find(params.workflow ?? '', params.name ?? '', undefined);
      return found
        ? { status: 200, body: { html: detailBody(found), running: found.status === 'RUNNING' } }
        : missing();
    },
  };

  return [list, one, live];
}

const missing = (): Reply =>
  page(
    'No such execution',
    '<h1>There is no such execution</h1><p>It was never kept, or it is gone by now. <a href="/executions">All executions</a></p>',
    false,
    404,
  );
