import { AwsFault } from './fault.ts';
import type { Input } from './input.ts';

// What SQS says of the parameters of a call: in its own words and with its own codes, unlike the younger services.

export const invalidParameter = (message: string): AwsFault =>
  new AwsFault('InvalidParameterValueException', message, { queryCode: 'InvalidParameterValue' });

export const unsupported = (message: string): AwsFault =>
  new AwsFault('UnsupportedOperation', message, { queryCode: 'AWS.SimpleQueueService.UnsupportedOperation' });

/** A string that has to be there; the empty one counts as absent. */
export function required(input: Input, member: string): string {
  const value = input[member];
  if (value === undefined || value === null || value === '') {
    throw new AwsFault('MissingParameter', `The request must contain the parameter ${member}.`, {
      queryCode: 'MissingParameter',
    });
  }
  if (typeof value !== 'string') throw invalidParameter(`${member} is not a string.`);
  return value;
}

/** A whole number within its bounds, both inclusive; `otherwise` where there is none. */
export function bounded(
  input: Input,
  member: string,
  { least, most, otherwise, reason }: { least: number; most: number; otherwise: number; reason: string },
): number {
  const value = input[member] ?? otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalidParameter(`Value ${String(value).slice(0, 100)} for parameter ${member} is invalid. Reason: ${reason}`);
}
