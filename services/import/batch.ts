import { addTo, noColumns, type Columns } from './load.ts';
import type { PlanItem } from './order.ts';
import { preparer, type PreparerOptions } from './prepare.ts';
import type { ImportThread } from './record.ts';
import { keyFault, threadOf } from './thread-keys.ts';

/** What a file says of a thread, under the key by which the site knows it. */
export type Said = Omit<ImportThread, 'kind' | 'line'> & { firstAt?: number };

/** What is prepared and not yet written. */
export type Batch = {
  threads: readonly Said[];
  comments: Columns;
  /** Addresses of their writers, each once. */
  emails: readonly string[];
  /** Unpublished comments that have published answers. */
  answered: readonly string[];
};

/** Comments of a batch: what a reading thread hands over at once. */
export const BATCH = 1000;

/**
 * Gathers what a plan hands out into batches, each item counted in the report. Needs no store.
 *
 * @param memory for the next batch's JSON; asked for once the one before is handed over
 */
export function batcher(options: PreparerOptions, memory?: () => Uint8Array) {
  const { site, aliases: lead, report } = options;
  const prepare = preparer(options);
  let threads = new Map<string, Said>();
  let emails = new Set<string>();
  let answered = new Set<string>();
  let comments = noColumns(memory?.());

  /** The first to say a thing of a thread is believed. */
  const say = (key: string, { title, url, closed, aliases }: Omit<Said, 'key'>, at?: number) => {
    let said = threads.get(key);
    if (said === undefined) threads.set(key, (said = { key }));
    if (title !== undefined) said.title ??= title;
    if (url !== undefined) said.url ??= url;
    if (closed !== undefined) said.closed ??= closed;
    if (aliases !== undefined) said.aliases ??= aliases;
    if (at !== undefined && (said.firstAt === undefined || at < said.firstAt)) said.firstAt = at;
  };

  return {
    /** @returns whether there is enough for a batch */
    take(item: PlanItem): boolean {
      report.see(item);
      if (item.kind === 'thread') {
        const key = threadOf(site, lead, item.key);
        if (key === undefined) report.note('warning', item.line, keyFault(item.key));
        else say(key, item);
      } else if (item.kind === 'comment') {
        const prepared = prepare(item);
        if (prepared === undefined) return false;
        const { entry, email, answers } = prepared;
        say(entry.comment.thread, item.thread, item.at);
        addTo(comments, entry);
        if (email !== undefined) emails.add(email);
        if (answers !== undefined) answered.add(answers);
      }
      return comments.ids.length >= BATCH || threads.size >= 4 * BATCH;
    },

    /** What was gathered since the last time. */
    batch(): Batch {
      const batch = { threads: [...threads.values()], comments, emails: [...emails], answered: [...answered] };
      threads = new Map();
      emails = new Set();
      answered = new Set();
      comments = noColumns(memory?.());
      return batch;
    },
  };
}
