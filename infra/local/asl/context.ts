import { isObject } from './env.ts';
import type { Frame, Json, Snapshot } from './types.ts';

/** The item of a Map that an iteration is for. */
export type Item = { index: number; value: Json };

/**
 * The context object: `$$`, `$states.context`.
 *
 * @param retries whether the state is of a kind that counts its retries
 */
export function makeContext(snapshot: Snapshot, frame: Frame, retries: boolean, item: Item | undefined): Json {
  const { execution, stateMachine } = snapshot.identity;
  const context: { [key: string]: Json } = {
    Execution: {
      Id: execution.id,
      Input: snapshot.input,
      StartTime: execution.startTime,
      Name: execution.name,
      RoleArn: execution.roleArn ?? '',
      RedriveCount: 0,
    },
    StateMachine: { Id: stateMachine.id, Name: stateMachine.name },
    State: {
      Name: frame.state,
      EnteredTime: new Date(frame.enteredMs).toISOString(),
      ...(retries ? { RetryCount: frame.retryCount } : {}),
    },
  };
  if (frame.token !== undefined) context['Task'] = { Token: frame.token };
  if (item) context['Map'] = { Item: { Index: item.index, Value: item.value } };
  if (!snapshot.context) return context;
  for (const [key, value] of Object.entries(snapshot.context)) {
    const made = context[key];
    context[key] = isObject(made) && isObject(value) ? { ...made, ...value } : value;
  }
  return context;
}
