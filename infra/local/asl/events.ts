import { isObject } from './env.ts';
import type { Resource } from './resource.ts';
import type { Json } from './types.ts';

/** What an event says beyond its type and place. Made only when histories are kept. */
export type Details = { [details: `${string}EventDetails`]: { [key: string]: unknown } };
export type Event = readonly [type: string, details?: () => Details];

const WHOLE = { truncated: false };

/** `error` and `cause` of an event: only what is there. */
export const named = (
  error: string | null | undefined,
  cause: string | null | undefined,
): { error?: string; cause?: string } => ({
  ...(typeof error === 'string' ? { error } : {}),
  ...(typeof cause === 'string' ? { cause } : {}),
});

export const withInput = (input: Json): object => ({ input: JSON.stringify(input), inputDetails: WHOLE });
export const withOutput = (output: Json): object => ({ output: JSON.stringify(output), outputDetails: WHOLE });

/** Variables as the service lists them: each as its JSON. */
export function withAssigned(assigned: Json | undefined): object {
  if (!isObject(assigned) || Object.keys(assigned).length === 0) return {};
  const variables = Object.entries(assigned).map(([name, value]) => [name, JSON.stringify(value)]);
  return { assignedVariables: Object.fromEntries(variables), assignedVariablesDetails: WHOLE };
}

const names = ({ service, action }: Resource): { resourceType: string; resource: string } => ({
  resourceType: service,
  resource: action,
});

/** The events that tell of a task's start. */
export function taskStarted(
  resource: Resource,
  payload: Json,
  { timeout, heartbeat }: { timeout: number | undefined; heartbeat: number | undefined },
): readonly Event[] {
  const limits = (): object => ({
    ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
    ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
  });
  const details = (): { [key: string]: unknown } => ({ resource: resource.action, ...withInput(payload), ...limits() });
  switch (resource.kind) {
    case 'service':
      return [
        [
          'TaskScheduled',
          () => ({
            taskScheduledEventDetails: {
              ...names(resource),
              region: 'us-east-1',
              parameters: JSON.stringify(payload),
              ...limits(),
            },
          }),
        ],
        ['TaskStarted', () => ({ taskStartedEventDetails: names(resource) })],
      ];
    case 'lambda':
      return [
        ['LambdaFunctionScheduled', () => ({ lambdaFunctionScheduledEventDetails: details() })],
        ['LambdaFunctionStarted'],
      ];
    case 'activity':
      return [
        ['ActivityScheduled', () => ({ activityScheduledEventDetails: details() })],
        ['ActivityStarted', () => ({ activityStartedEventDetails: {} })],
      ];
  }
}

const FAMILIES = {
  service: ['Task', 'task'],
  lambda: ['LambdaFunction', 'lambdaFunction'],
  activity: ['Activity', 'activity'],
} as const;

/** The event that tells how a task ended. */
export function taskEnded(resource: Resource, how: 'Succeeded' | 'Failed' | 'TimedOut', details: () => object): Event {
  const [family, key] = FAMILIES[resource.kind];
  return [
    `${family}${how}`,
    () => ({ [`${key}${how}EventDetails`]: { ...(resource.kind === 'service' ? names(resource) : {}), ...details() } }),
  ];
}

/** The event that tells of the answer to the call of a task that goes on waiting. */
export const taskSubmitted = (resource: Resource, output: Json): Event => [
  'TaskSubmitted',
  () => ({ taskSubmittedEventDetails: { ...names(resource), ...withOutput(output) } }),
];
