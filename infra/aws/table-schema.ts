/**
 * What each index carries. DynamoDB bills a write to an index for what it carries, and none when nothing of that changed.
 *
 * Threads are read far oftener than written, so `gsi1` carries whole items; the desk and the reconciler read seldom, so
 * `gsi2` and `gsi3` carry keys, and the adapter reads the items by them.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
 */
export const INDEXES = { gsi1: 'ALL', gsi2: 'KEYS_ONLY', gsi3: 'KEYS_ONLY' } as const;

export type IndexName = keyof typeof INDEXES;
