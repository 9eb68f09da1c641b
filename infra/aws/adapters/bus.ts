import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { SluiceError } from '../../../shared/errors.ts';
import type { Bus, PutEntry } from '../../../shared/ports.ts';
import { backoffMs, faultOf, pause, type Pause } from './faults.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const MAX_ENTRIES = 10;
/**
 * Of a whole request, by the service's own count: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
 * AWS raised it to 1 MB in January 2026; the older limit costs nothing here and holds in every region.
 */
const MAX_BYTES = 262_144;
/** `Time` counts 14 bytes; we leave it out and keep them as room. */
const ENTRY_BYTES = 14;
const MAX_TRIES = 5;

/**
 * The event bus.
 *
 * A call succeeds though single entries failed: those go again, one by one, since together they might fail for one bad
 * neighbour. What a resend does not help is `Bus.Refused`, with the reason; entries before it are taken.
 */
export function eventBridgeBus(
  client: EventBridgeClient,
  { busName, pause: wait = pause }: { busName: string; pause?: Pause },
): Bus {
  const call = async (entries: readonly PutEventsRequestEntry[]) => {
    try {
      const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: [...entries] }));
      return Entries;
    } catch (cause) {
      throw faultOf('EventBridge', 'Bus.Refused', cause);
    }
  };

  const resend = async (entry: PutEventsRequestEntry, first: string): Promise<string> => {
    let reason = first;
    for (let attempt = 1; attempt < MAX_TRIES; attempt++) {
      await wait(backoffMs(attempt));
      const [answer] = await call([entry]);
      if (answer?.EventId) return answer.EventId;
      reason = answer?.ErrorCode ?? reason;
    }
    throw new SluiceError('Bus.Refused', `EventBridge did not take ${entry.DetailType}: ${reason}`, {
      hint: 'put it again a little later',
    });
  };

  return {
    async put(entries) {
      const ids: string[] = [];
      for (const batch of batchesOf(entries.map((entry) => requestOf(busName, entry)))) {
        const answers = await call(batch);
        for (const [index, entry] of batch.entries()) {
          const answer = answers[index];
          ids.push(answer?.EventId ?? (await resend(entry, answer?.ErrorCode ?? 'no answer')));
        }
      }
      return ids;
    },
  };
}

/** EventBridge gives the id; ours stands in the detail. */
const requestOf = (EventBusName: string, { source, type, detail }: PutEntry): PutEventsRequestEntry => ({
  EventBusName,
  Source: source,
  DetailType: type,
  Detail: JSON.stringify(detail),
});

const bytesOf = ({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry) =>
  ENTRY_BYTES + Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail);

function* batchesOf(entries: readonly PutEventsRequestEntry[]): Generator<PutEventsRequestEntry[]> {
  let batch: PutEventsRequestEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = bytesOf(entry);
    if (size > MAX_BYTES) {
      throw new SluiceError('Queue.TooLarge', `the event ${entry.DetailType} has ${size} bytes`, {
        hint: `EventBridge takes at most ${MAX_BYTES} bytes`,
      });
    }
    if (batch.length === MAX_ENTRIES || bytes + size > MAX_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
