import type { Status } from '../asl/types.ts';
import { ACCOUNT, REGION } from '../bus.ts';
import type { Execution, ListQuery } from '../executions.ts';
import { DEEPEST, nestsTooDeep } from '../nesting.ts';
import type { Runtime } from '../runtime.ts';
import { executionArn, stateMachineArn } from '../workflows.ts';
import { SluiceError } from '../../../shared/errors.ts';
import { AwsFault, constraint } from './fault.ts';
import { flag, optionalText, optionalWord, text, whole, type Input } from './input.ts';

/** Nothing is redriven here, so nothing pends: that status is known, and no execution has it. */
const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'];
/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\uFFFE\uFFFF]{1,80}$/u;
const MOST_INPUT_BYTES = 262_144;
const PAGE = { least: 0, most: 1000, otherwise: 100 };

/** Step Functions. https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html */
export const stateActions = ({
  workflows,
  executions,
  topology,
  ports,
}: Pick<Runtime, 'workflows' | 'executions' | 'topology' | 'ports'>) => {
  const machineOf = (input: Input): string => {
    const arn = text(input, 'stateMachineArn', { longest: 256, shortest: 1 });
    const name = nameIn(arn, 'stateMachine');
    if (!Object.hasOwn(topology.workflows, name)) {
      throw new AwsFault('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    }
    return name;
  };

  const executionOf = (input: Input): Execution & { arn: string } => {
    const arn = text(input, 'executionArn', { longest: 256, shortest: 1 });
    const [workflow = '', name = ''] = nameIn(arn, 'execution').split(/:(.*)/s, 2);
    const found = executions.find(workflow, name);
    if (!found) throw new AwsFault('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    // On AWS an Express run is in its logs alone; here /executions shows those that are kept.
    if (found.type === 'EXPRESS') {
      throw new AwsFault('InvalidArn', "Invalid Arn: 'Resource type not valid in this context: express'");
    }
    return { ...found, arn };
  };

  const answered = (outcome: 'woken' | 'stale'): object => {
    if (outcome === 'woken') return {};
    throw new AwsFault('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
  };
  const tokenOf = (input: Input): string => {
    const token = text(input, 'taskToken', { longest: 2048, shortest: 1 });
    if (!/^[\w-]{8,}$/.test(token)) throw invalidToken();
    return token;
  };

  return {
    async StartExecution(input: Input) {
      const workflow = machineOf(input);
      const name = optionalText(input, 'name', { longest: 80, shortest: 1 }) ?? crypto.randomUUID();
      if (!NAME.test(name)) throw new AwsFault('InvalidName', `Invalid Name: '${name}'`);
      const given = optionalText(input, 'input') ?? '{}';
      if (Buffer.byteLength(given) > MOST_INPUT_BYTES)
        throw constraint('input', given, `have length less than or equal to ${MOST_INPUT_BYTES}`);
      const value = parsed(given, 'InvalidExecutionInput', 'Invalid State Machine Execution Input');
      const arn = executionArn(workflow, name);
      const now = ports.clock.now();
      if ((await workflows.start(workflow, { name, input: value })) === 'started') {
        return { executionArn: arn, startDate: (executions.find(workflow, name)?.startedAt ?? now) / 1000 };
      }
      const before = executions.find(workflow, name);
      // The same call twice is the same execution, as long as it runs.
      if (before?.status === 'RUNNING' && before.input === JSON.stringify(value)) {
        return { executionArn: arn, startDate: before.startedAt / 1000 };
      }
      throw new AwsFault('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    },

    async StopExecution(input: Input) {
      const execution = executionOf(input);
      const error = optionalText(input, 'error', { longest: 256 });
      const cause = optionalText(input, 'cause', { longest: 32_768 });
      await workflows.stop(execution.workflow, execution.name, {
        ...(error !== undefined && { error }),
        ...(cause !== undefined && { cause }),
      });
      const endedAt = executions.find(execution.workflow, execution.name)?.endedAt ?? ports.clock.now();
      return { stopDate: endedAt / 1000 };
    },

    async ListStateMachines(input: Input) {
      const limit = whole(input, 'maxResults', PAGE) || PAGE.otherwise;
      const all = Object.entries(topology.workflows).toSorted(([a], [b]) => (a < b ? -1 : 1));
      const from = offsetOf(optionalText(input, 'nextToken'));
      return {
        stateMachines: all.slice(from, from + limit).map(([name, { type }]) => ({
          stateMachineArn: stateMachineArn(name),
          name,
          type,
          creationDate: workflows.createdAt(name) / 1000,
        })),
        ...(all.length > from + limit && { nextToken: String(from + limit) }),
      };
    },

    async ListExecutions(input: Input) {
      const workflow = machineOf(input);
      if (topology.workflows[workflow]?.type === 'EXPRESS') {
        throw new AwsFault(
          'StateMachineTypeNotSupported',
          'This operation is not supported by this type of state machine',
        );
      }
      const status = optionalWord(input, 'statusFilter', STATUSES);
      const redrive = optionalWord(input, 'redriveFilter', ['REDRIVEN', 'NOT_REDRIVEN']);
      if (status === 'PENDING_REDRIVE' || redrive === 'REDRIVEN') return { executions: [] };
      const page = listed({
        workflow,
        type: 'STANDARD',
        status: status as Status | undefined,
        limit: whole(input, 'maxResults', PAGE) || PAGE.otherwise,
        cursor: optionalText(input, 'nextToken'),
      });
      return {
        executions: page.executions.map((execution) => ({ ...summary(execution) })),
        ...(page.cursor && { nextToken: page.cursor }),
      };
    },

    async DescribeExecution(input: Input) {
      const execution = executionOf(input);
      const data = flagOfData(input);
      return {
        ...summary(execution),
        redriveCount: 0,
        redriveStatus: 'NOT_REDRIVABLE',
        ...(data && { input: execution.input }),
        inputDetails: { included: data },
        ...(execution.output !== null && {
          ...(data && { output: execution.output }),
          outputDetails: { included: data },
        }),
        ...(execution.error !== null && { error: execution.error }),
        ...(execution.cause !== null && { cause: execution.cause }),
      };
    },

    async GetExecutionHistory(input: Input) {
      const execution = executionOf(input);
      const limit = whole(input, 'maxResults', PAGE) || PAGE.otherwise;
      const from = offsetOf(optionalText(input, 'nextToken'));
      const data = flag(input, 'includeExecutionData', true);
      const all = executions.history(execution.workflow, execution.name);
      if (from > all.length) throw invalidToken();
      const events = flag(input, 'reverseOrder', false) ? all.toReversed() : all;
      return {
        events: events.slice(from, from + limit).map(({ timestamp, ...event }) => ({
          ...(data ? event : withoutData(event)),
          timestamp: timestamp / 1000,
        })),
        ...(events.length > from + limit && { nextToken: String(from + limit) }),
      };
    },

    async SendTaskSuccess(input: Input) {
      const token = tokenOf(input);
      const output = text(input, 'output', { longest: MOST_INPUT_BYTES });
      const value = parsed(output, 'InvalidOutput', 'Invalid Output');
      return answered(await workflows.succeed(token, value));
    },

    async SendTaskFailure(input: Input) {
      const token = tokenOf(input);
      const error = optionalText(input, 'error', { longest: 256 }) ?? '';
      const cause = optionalText(input, 'cause', { longest: 32_768 }) ?? '';
      return answered(await workflows.fail(token, { error, cause }));
    },

    async SendTaskHeartbeat(input: Input) {
      return answered(await workflows.heartbeat(tokenOf(input)));
    },
  };

  function listed(query: ListQuery) {
    try {
      return executions.list(query);
    } catch (error) {
      if (error instanceof SluiceError) throw invalidToken();
      throw error;
    }
  }
};

/** What follows the resource's type in an ARN of this account and region. */
function nameIn(arn: string, type: 'stateMachine' | 'execution'): string {
  const prefix = `arn:aws:states:${REGION}:${ACCOUNT}:`;
  if (!arn.startsWith('arn:')) throw new AwsFault('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${arn}'`);
  if (!arn.startsWith(prefix)) {
    throw new AwsFault('InvalidArn', `Invalid Arn: '${arn}' is not of the account ${ACCOUNT} in ${REGION}`);
  }
  const rest = arn.slice(prefix.length);
  if (!rest.startsWith(`${type}:`)) {
    throw new AwsFault('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${rest.split(':')[0]}'`);
  }
  return rest.slice(type.length + 1);
}

const summary = (execution: Execution): object => ({
  executionArn: executionArn(execution.workflow, execution.name),
  stateMachineArn: stateMachineArn(execution.workflow),
  name: execution.name,
  status: execution.status,
  startDate: execution.startedAt / 1000,
  ...(execution.endedAt !== null && { stopDate: execution.endedAt / 1000 }),
});

const flagOfData = (input: Input): boolean =>
  optionalWord(input, 'includedData', ['ALL_DATA', 'METADATA_ONLY']) !== 'METADATA_ONLY';

/** The value of a JSON text, as the call would have it. */
function parsed(json: string, code: string, complaint: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new AwsFault(code, `${complaint}: '${error instanceof Error ? error.message : String(error)}'`);
  }
  if (nestsTooDeep(value)) throw new AwsFault(code, `${complaint}: 'nests deeper than ${DEEPEST}'`);
  return value;
}

const invalidToken = (): AwsFault => new AwsFault('InvalidToken', "Invalid Token: 'Invalid token'");

function offsetOf(token: string | undefined): number {
  if (token === undefined) return 0;
  if (!/^\d{1,9}$/.test(token)) throw invalidToken();
  return Number(token);
}

const DATA = new Set(['input', 'output', 'parameters', 'assignedVariables', 'arguments']);

function withoutData(event: object): object {
  return Object.fromEntries(
    Object.entries(event).map(([name, details]: [string, unknown]) => [
      name,
      typeof details === 'object' && details !== null
        ? Object.fromEntries(Object.entries(details).filter(([field]) => !DATA.has(field)))
        : details,
    ]),
  );
}
