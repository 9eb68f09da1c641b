import type { Logger } from 'pino';
import type { OutputEvent } from './events.ts';
import type { Policy } from './policy.ts';
import type { Vault } from './vault.ts';

export type Key = { pk: string; sk: string };

/**
 * One record. Attributes are JSON values.
 *
 * `gsi1pk/sk` list what readers see of a thread, `gsi2pk/sk` what the desk lists, `gsi3pk/sk` work that is owed; an item
 * without the pair is not in that index. `expiresAt` is in epoch seconds: after it the item is gone for every reader, and
 * deleted some time later.
 */
export type Item = Key & {
  version?: number;
  expiresAt?: number;
  gsi1pk?: string;
  gsi1sk?: string;
  gsi2pk?: string;
  gsi2sk?: string;
  gsi3pk?: string;
  gsi3sk?: string;
  [attribute: string]: unknown;
};

export type Write =
  /** Replaces the whole item. `if`: nothing stands there, or what stands there has that version. */
  | { put: Item; if?: 'absent' | { version: number } }
  | { delete: Key; if?: { version: number } }
  /** Adds to number attributes, making the item where there is none; `first` sets what is not there yet. */
  | { add: Key; by: Record<string, number>; first?: Record<string, number>; expiresAt?: number }
  /** Writes nothing; fails unless it holds. */
  | { check: Key; if: 'absent' | { version: number } };

export type WriteResult = { done: true } | { done: false; failed: number };

export type Query = {
  index?: 'gsi1' | 'gsi2' | 'gsi3';
  pk: string;
  /** Sort keys from here on, inclusive. */
  from?: string;
  /** Sort keys up to here, inclusive. */
  to?: string;
  prefix?: string;
  order?: 'ascending' | 'descending';
  /** 1..1000, default 100. */
  limit?: number;
  /** Opaque, from the page before. */
  cursor?: string;
};

/**
 * The store: one table of JSON items by key, as DynamoDB has it, so that the domain's reading and writing
 * (`shared/store/`) is written once and each runtime adapts these five methods alone.
 *
 * Throws `Store.Busy` for what may succeed later.
 */
export type Table = {
  /** Strongly consistent, unless a `stale` answer will do: it may miss the last second's writes, at half the price. */
  get(key: Key, options?: { stale?: boolean }): Promise<Item | undefined>;
  /** In the order of `keys` (at most 100), undefined where there is none. */
  getMany(keys: readonly Key[], options?: { stale?: boolean }): Promise<readonly (Item | undefined)[]>;
  /** By key order. On an index eventually consistent. */
  query(query: Query): Promise<{ items: readonly Item[]; cursor?: string }>;
  /**
   * All or nothing, at most 100, no key twice; resolves once durable. A condition that does not hold is an answer, not an
   * error: `failed` is the index of the first such write.
   */
  write(writes: readonly Write[]): Promise<WriteResult>;
  /**
   * Each group all or nothing, one after the other, up to the first whose condition does not hold: `failed` is its index. A
   * group of one is half as dear as in company. A fault may leave the first groups written, and make a lone tally count
   * twice or not at all: for writes of which each is right without those after it.
   */
  writeInTurn(groups: readonly (readonly Write[])[]): Promise<WriteResult>;
  /** Adds and answers the values after it. Not idempotent: for rates and tallies that may be off by a retry. */
  increment(key: Key, by: Record<string, number>, options?: { expiresAt?: number }): Promise<Record<string, number>>;
};

export type DeskQuery = {
  site: string;
  status?: string;
  q?: string;
  author?: string;
  thread?: string;
  signal?: string;
  lang?: string;
  /** Milliseconds since the epoch. */
  since?: number;
  until?: number;
  decidedBy?: string;
  network?: string;
  linkHost?: string;
  fingerprint?: string;
  sort?: 'oldest' | 'newest' | 'risk' | 'reports';
  limit: number;
  cursor?: string;
};

/** The desk's listing: complete locally, by key and over the newest 1,000 on AWS (`partial`). */
export type Search = {
  comments(
    query: DeskQuery,
  ): Promise<{ ids: readonly string[]; total?: number; nextCursor?: string; partial?: boolean }>;
};

export type PutEntry = { id?: string; source: string; type: string; detail: unknown };

export type Bus = {
  /**
   * Resolves once every entry is taken (durably); sends again what failed singly, and throws `Bus.Refused` when that does
   * not help. Ids in order. `id` is honoured where the runtime can; the detail's own id is what counts.
   */
  put(entries: readonly PutEntry[]): Promise<readonly string[]>;
};

export type Queue = {
  /** Visible after `delaySeconds` (0..900, default 0); `group` is its lane. Resolves once durable. Throws `Queue.TooLarge`. */
  send(body: string, options?: { delaySeconds?: number; group?: string }): Promise<void>;
  /** Hides up to `max` (1..10) messages for the visibility timeout; lanes in turn. May deliver twice. */
  receive(max: number): Promise<readonly QueueMessage[]>;
  /** Gone for good. A receipt whose message was received again, or that is gone, is no error. */
  remove(receipt: string): Promise<void>;
  /** Visible again after `seconds` (0..43,200), for a consumer that failed or needs longer. */
  changeVisibility(receipt: string, seconds: number): Promise<void>;
  /** `depth` is what may be received now; hidden and delayed messages are counted beside it. */
  attributes(): Promise<{ depth: number; inFlight: number; delayed: number }>;
  /** Since when the message has been there that may be received now and waits longest. On AWS CloudWatch has it, and nobody else. */
  oldestAt?(): Promise<number | undefined>;
};

export type QueueMessage = {
  id: string;
  receipt: string;
  body: string;
  receiveCount: number;
  sentAt: number;
  group?: string;
};

export type Workflows = {
  /** By name: starting it twice is starting it once (`exists`), for Standard workflows. */
  start(workflow: string, execution: { name: string; input: unknown }): Promise<'started' | 'exists'>;
  /** Wakes what waits by this token; `stale` when nothing waits for it any more. */
  succeed(token: string, output: unknown): Promise<'woken' | 'stale'>;
  fail(token: string, fault: { error: string; cause: string }): Promise<'woken' | 'stale'>;
};

export type MailMessage = {
  /** Stable over retries of the same notification, so that a repeat is recognisable. */
  messageId: string;
  from: { name: string; address: string };
  to: string;
  subject: string;
  text: string;
  html: string;
  /** RFC 8058; set for all but transactional mail. */
  unsubscribeUrl?: string;
  headers?: Record<string, string>;
};

export type Mail = {
  /** The server's words on success. Throws `Mail.Transient`, `Mail.Refused`, `Mail.Uncertain`. */
  send(message: MailMessage): Promise<{ response: string }>;
};

/** Milliseconds since the epoch. */
export type Clock = { now(): number };

/** Sortable by time, unique, URL-safe, 26 characters (ULID). */
export type Ids = { next(): string };

/** What is asked of a provider; addresses only as far as the site has them. */
export type ProviderSubject = { text: string; author?: string; link?: string; pageUrl?: string; clientIp?: string };

export type ProviderOpinion =
  | { provider: string; answered: true; spam: boolean; confidence: number }
  | { provider: string; answered: false; reason: string };

/** An opinion from outside, behind its time-out and circuit breaker. Never throws; undefined: not its business. */
export type OutsideProvider = {
  name: 'akismet' | 'bedrock';
  opinion(subject: ProviderSubject, score: number): Promise<ProviderOpinion | undefined>;
};

export type Ports = {
  table: Table;
  search: Search;
  bus: Bus;
  queues: Record<string, Queue>;
  workflows: Workflows;
  mail: Mail;
  clock: Clock;
  ids: Ids;
  vault: Vault;
  log: Logger;
  /** Where readers reach this instance, without a trailing slash. */
  publicUrl: string;
  /** Deletes what this runtime keeps of comments beside the table: an index of texts, histories of runs. */
  forgetTexts?: (ids: readonly string[]) => Promise<void>;
  /** By site; a policy turns them on. One that the operator did not set up answers `unconfigured`. */
  providers?: (
    site: { id: string; origins: readonly string[] },
    policy: Policy,
    /** Where a budget is counted. */
    table: Table,
  ) => readonly OutsideProvider[];
};

/** What a function is told beside its input, as Lambda tells it. */
export type Invocation = { executionId?: string };

/** A function of the topology: its ports in, a handler out. Input is unknown until parsed. */
export type Service = (ports: Ports) => (input: unknown, invocation?: Invocation) => Promise<unknown>;

export type { OutputEvent };
