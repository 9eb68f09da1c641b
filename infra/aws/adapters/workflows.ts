import {
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { SluiceError } from '../../../shared/errors.ts';
import type { Workflows } from '../../../shared/ports.ts';
import { faultOf, nameOf } from './faults.ts';

/**
 * Nothing waits by this token: it was answered, its task timed out or its execution ended.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
 */
const STALE = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken', 'InvalidTokenException']);

/** Of `error` and `cause`: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html */
const MAX_ERROR = 256;
const MAX_CAUSE = 32_768;

/**
 * Step Functions.
 *
 * The same name and input while the execution runs is answered as a success, another input or an ended execution as
 * `ExecutionAlreadyExists`: both are one execution. Names are kept 90 days.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 *
 * @param arns of the workflows that this function may start, by their names in the topology
 */
export function stepFunctions(client: SFNClient, { arns }: { arns: Readonly<Record<string, string>> }): Workflows {
  const answer = async (command: SendTaskSuccessCommand | SendTaskFailureCommand) => {
    try {
      // The two commands share their shape, and `send` has an overload for each.
      await client.send(command as SendTaskSuccessCommand);
      return 'woken';
    } catch (cause) {
      if (STALE.has(nameOf(cause))) return 'stale';
      throw faultOf('Step Functions', 'Store.Busy', cause);
    }
  };
  return {
    async start(workflow, { name, input }) {
      const stateMachineArn = arns[workflow];
      if (!stateMachineArn) {
        throw new SluiceError('Workflow.Unknown', `this function starts no workflow "${workflow}"`, {
          hint: 'name it under `may.start` in infra/topology.ts',
        });
      }
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
        return 'started';
      } catch (cause) {
        if (nameOf(cause) === 'ExecutionAlreadyExists') return 'exists';
        throw faultOf('Step Functions', 'Store.Busy', cause);
      }
    },
    succeed: (taskToken, output) => answer(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) })),
    fail: (taskToken, { error, cause }) =>
      answer(
        new SendTaskFailureCommand({ taskToken, error: error.slice(0, MAX_ERROR), cause: cause.slice(0, MAX_CAUSE) }),
      ),
  };
}
