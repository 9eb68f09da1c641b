import { SluiceError } from '../../../shared/errors.ts';
import { ACCOUNT, REGION } from '../bus.ts';
import { nestsTooDeep } from '../nesting.ts';
import { compilePattern } from '../patterns.ts';
import type { Runtime } from '../runtime.ts';
import { AwsFault, constraint } from './fault.ts';
import { text, type Input } from './input.ts';

const MOST_ENTRIES = 10;
/** Of all entries of a call together, since 2026-01-29. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const MOST_BYTES = 1_048_576;

/** What an event has to have for `TestEventPattern`. */
const NEEDED = ['id', 'account', 'source', 'time', 'region', 'detail-type'];

type Verdict = { ErrorCode: string; ErrorMessage: string };
type Fit = { source: string; type: string; detail: object; time?: number; resources?: string[] };

/** EventBridge. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html */
export const eventActions = ({ bus, topology }: Pick<Runtime, 'bus' | 'topology'>) => ({
  /** Entries fail singly and in order; the call succeeds all the same. */
  async PutEvents(input: Input) {
    const { Entries: entries } = input;
    if (!Array.isArray(entries)) throw constraint('entries', entries, 'not be null');
    if (entries.length === 0) throw constraint('entries', entries, 'have length greater than or equal to 1');
    if (entries.length > MOST_ENTRIES)
      throw constraint('entries', entries, `have length less than or equal to ${MOST_ENTRIES}`);
    if (entries.reduce<number>((sum, entry) => sum + sizeOf(entry), 0) > MOST_BYTES) {
      throw new AwsFault('ValidationException', 'Total size of the entries in the request is over the limit.');
    }
    const looked = entries.map((entry) => look(entry, topology.bus.name));
    const fit = looked.filter((entry): entry is Fit => 'detail' in entry);
    const ids = fit.length > 0 ? await bus.put(fit) : [];
    let next = 0;
    return {
      FailedEntryCount: looked.length - fit.length,
      Entries: looked.map((entry) => ('detail' in entry ? { EventId: ids[next++] } : entry)),
    };
  },

  async TestEventPattern(input: Input) {
    const pattern = text(input, 'EventPattern');
    const event = objectOf(text(input, 'Event'));
    // The service asks for `resources` in its documentation alone.
    if (!event || NEEDED.some((name) => !Object.hasOwn(event, name))) {
      throw new AwsFault('ValidationException', 'Parameter Event is not valid.');
    }
    try {
      return { Result: compilePattern(pattern)(event) };
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      throw new AwsFault('InvalidEventPatternException', error.message);
    }
  },
});

function look(given: unknown, busName: string): Fit | Verdict {
  const entry = (typeof given === 'object' && given !== null ? given : {}) as Input;
  const {
    EventBusName: bus,
    Source: source,
    DetailType: type,
    Detail: detail,
    Time: time,
    Resources: resources,
  } = entry;
  const missing = (name: string, value: unknown) =>
    typeof value !== 'string' || value === '' ? invalid(name, `${name} is a required argument.`) : undefined;
  const fault = missing('Source', source) ?? missing('DetailType', type) ?? missing('Detail', detail);
  if (fault) return fault;
  const ours = [busName, `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/${busName}`];
  if (!ours.includes(typeof bus === 'string' ? bus : 'default')) {
    return invalid('EventBusName', `there is no event bus ${shown(bus ?? 'default')}; the bus is ${busName}.`);
  }
  if ((source as string).startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  if ((type as string).length > 128) return invalid('DetailType', 'DetailType has length greater than 128.');
  const parsed = objectOf(detail as string);
  if (!parsed) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  if (resources !== undefined && (!Array.isArray(resources) || resources.some((each) => typeof each !== 'string'))) {
    return invalid('Resources', 'Resources is not a list of strings.');
  }
  const at = time === undefined ? undefined : secondsOf(time);
  if (Number.isNaN(at)) return invalid('Time', 'Time is not a timestamp.');
  return {
    source: source as string,
    type: type as string,
    detail: parsed,
    ...(at !== undefined && { time: at * 1000 }),
    ...(resources !== undefined && { resources: resources as string[] }),
  };
}

const invalid = (parameter: string, reason: string): Verdict => ({
  ErrorCode: 'InvalidArgument',
  ErrorMessage: `Parameter ${parameter} is not valid. Reason: ${reason}`,
});

const shown = (value: unknown): string => String(value).slice(0, 200);

/** The CLI sends ISO 8601, the SDKs seconds since 1970. */
const secondsOf = (time: unknown): number =>
  typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) / 1000 : NaN;

function objectOf(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) && !nestsTooDeep(value)
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** As EventBridge counts an entry: 14 bytes for Time, and the UTF-8 of the rest. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-calculate-putevents-size.html */
function sizeOf(given: unknown): number {
  const { Time: time, Source: source, DetailType: type, Detail: detail, Resources: resources } = (given ?? {}) as Input;
  return [source, type, detail, ...(Array.isArray(resources) ? resources : [])]
    .filter((part) => typeof part === 'string')
    .reduce((sum: number, part) => sum + Buffer.byteLength(part as string), time === undefined ? 0 : 14);
}
