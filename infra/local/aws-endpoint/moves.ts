import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACCOUNT, REGION } from '../bus.ts';
import type { LocalQueue } from '../queues.ts';
import { queueArn, type Runtime } from '../runtime.ts';
import { AwsFault } from './fault.ts';
import { optionalText, type Input } from './input.ts';
import { bounded, invalidParameter, required, unsupported } from './queue-input.ts';

/** The service's own pace, and its bound. */
const PER_SECOND = 500;
/** ListMessageMoveTasks shows this many at most; so many are remembered. */
const REMEMBERED = 10;

type Move = {
  handle: string;
  source: LocalQueue;
  destination: LocalQueue;
  perSecond: number;
  asked: number | undefined;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  moved: number;
  toMove: number;
  startedAt: number;
  reason?: string;
};

/**
 * Message move tasks: the service's redrive of a dead-letter queue.
 *
 * A message begins anew in its destination, with a receive count of nothing. Tasks are remembered until the process ends.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 */
export function messageMoves(
  { queues, topology, ports, database }: Pick<Runtime, 'queues' | 'topology' | 'ports' | 'database'>,
  closing: AbortSignal,
) {
  const { sqlite } = database;
  const heads = sqlite.prepare(
    'SELECT id, body FROM message WHERE queue = $queue AND visible_at <= $now ORDER BY sent_at, id LIMIT $max',
  );
  const drop = sqlite.prepare('DELETE FROM message WHERE id = ?');
  let tasks: readonly Move[] = [];

  const byArn = (arn: string): LocalQueue => {
    const queue = Object.values(queues).find(({ name }) => queueArn(name) === arn);
    if (queue) return queue;
    if (!/^arn:aws:sqs:[\w-]+:\d{12}:[\w.-]{1,80}$/.test(arn))
      throw invalidParameter(
        `You must use this format to specify the ARN: arn:aws:sqs:${REGION}:${ACCOUNT}:<queue-name>`,
      );
    throw new AwsFault(
      'ResourceNotFoundException',
      "The resource that you specified for the SourceArn parameter doesn't exist.",
      { queryCode: 'ResourceNotFoundException' },
    );
  };

  const move = async (task: Move): Promise<void> => {
    while (!closing.aborted) {
      const max = Math.min(task.perSecond, task.toMove - task.moved);
      if (max <= 0) break;
      const began = ports.clock.now();
      const taken = await database.write(() => {
        const rows = heads.all({ $queue: task.source.name, $now: began, $max: max }) as { id: number; body: string }[];
        for (const { id, body } of rows) {
          task.destination.enqueue(body);
          drop.run(id);
        }
        return rows.length;
      });
      task.moved += taken;
      if (taken < max || task.moved >= task.toMove) break;
      await sleep(Math.max(0, began + 1000 - ports.clock.now()), undefined, { ref: false, signal: closing }).catch(
        () => undefined,
      );
    }
    task.status = closing.aborted ? 'CANCELLED' : 'COMPLETED';
  };

  return {
    async start(input: Input) {
      const source = byArn(required(input, 'SourceArn'));
      const origins = Object.entries(topology.queues).filter(([, { deadLetter }]) => deadLetter?.queue === source.name);
      if (origins.length === 0) throw invalidParameter('Source queue must be configured as a Dead Letter Queue.');
      const wanted = optionalText(input, 'DestinationArn');
      const [[origin = ''] = [], ...others] = origins;
      if (wanted === undefined && others.length > 0)
        throw unsupported(`${source.name} serves several queues: name the DestinationArn.`);
      const destination = wanted === undefined ? (queues[origin] as LocalQueue) : byArn(wanted);
      if (destination === source)
        throw invalidParameter('Source queue arn and destination queue arn must not be the same.');
      if (tasks.some((task) => task.source === source && task.status === 'RUNNING')) {
        throw unsupported(
          'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
        );
      }
      const perSecond = bounded(input, 'MaxNumberOfMessagesPerSecond', {
        least: 1,
        most: PER_SECOND,
        otherwise: PER_SECOND,
        reason: `Must be between 1 and ${PER_SECOND}, if provided.`,
      });
      const { depth, delayed } = await source.attributes();
      const task: Move = {
        handle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: queueArn(source.name) })).toString(
          'base64',
        ),
        source,
        destination,
        perSecond,
        asked: input.MaxNumberOfMessagesPerSecond === undefined ? undefined : perSecond,
        status: 'RUNNING',
        moved: 0,
        toMove: depth - delayed,
        startedAt: ports.clock.now(),
      };
      tasks = [task, ...tasks].slice(0, 10 * REMEMBERED);
      move(task).catch((error: unknown) => {
        task.status = 'FAILED';
        task.reason = error instanceof Error ? error.message : String(error);
        ports.log.error({ err: error, queue: source.name }, 'messages not moved');
      });
      return { TaskHandle: task.handle };
    },

    async list(input: Input) {
      const source = byArn(required(input, 'SourceArn'));
      const most = bounded(input, 'MaxResults', {
        least: 1,
        most: REMEMBERED,
        otherwise: 1,
        reason: `Must be between 1 and ${REMEMBERED}, if provided.`,
      });
      return {
        Results: tasks
          .filter((task) => task.source === source)
          .slice(0, most)
          .map((task) => ({
            // The service gives the handle of a running task alone.
            ...(task.status === 'RUNNING' && { TaskHandle: task.handle }),
            Status: task.status,
            SourceArn: queueArn(task.source.name),
            DestinationArn: queueArn(task.destination.name),
            ...(task.asked !== undefined && { MaxNumberOfMessagesPerSecond: task.asked }),
            ApproximateNumberOfMessagesMoved: task.moved,
            ApproximateNumberOfMessagesToMove: task.toMove,
            ...(task.reason && { FailureReason: task.reason }),
            StartedTimestamp: task.startedAt,
          })),
      };
    },
  };
}
