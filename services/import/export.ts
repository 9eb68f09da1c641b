import { STATUSES, type Comment } from '../../shared/comment.ts';
import type { Clock, Table } from '../../shared/ports.ts';
import { storeOf, type Store } from '../../shared/store/comments.ts';
import { contactsOf, type Contacts } from '../../shared/store/contacts.ts';
import { commentOf, deskListing, headKey } from '../../shared/store/keys.ts';
import { sitesOf, type Thread } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';
import { allOf } from './erase.ts';
import { STATUS, type ExportEnd, type ExportRow } from './sluice.ts';
import type { WxrRow } from './wxr.ts';

type Stored = { table: Table; vault: Vault; clock: Clock };

/** Small, so that a page is gone before it is taken for something that stays. */
const PAGE = 200;
const MOST_KEYS = 100;
/** Comments that are read together. */
const AT_ONCE = 50;

/**
 * All comments of a site, by listing and time. One that changes its listing meanwhile may come twice. Others come to their
 * turn between the pages: a person's own link reads a whole site inside a server.
 */
export async function* commentsOf(table: Table, site: string): AsyncGenerator<Comment> {
  for (const status of STATUSES) {
    let cursor: string | undefined;
    do {
      const page = await table.query({
        index: 'gsi2',
        pk: deskListing(site, status),
        limit: PAGE,
        ...(cursor && { cursor }),
      });
      for (const item of page.items) if (item.sk === 'head') yield commentOf(item);
      cursor = page.cursor;
      await new Promise((resolve) => setImmediate(resolve));
    } while (cursor);
  }
  // What has no verdict is in no listing, but for what waits in the dead letters.
  let cursor: string | undefined;
  do {
    const page = await table.query({
      index: 'gsi2',
      pk: deskListing(site, 'failed'),
      limit: MOST_KEYS,
      ...(cursor && { cursor }),
    });
    for (const item of await table.getMany(page.items.map(({ pk }) => headKey(pk.slice(2))))) {
      if (item && item.gsi2pk === undefined) yield commentOf(item);
    }
    cursor = page.cursor;
  } while (cursor);
}

/**
 * A site's threads by key, each with its comments by time: header, policy versions, authors, then the threads. A contact
 * stands before the first comment that carries it. A comment costs about 60 bytes of memory (its id and time), whatever its
 * text.
 */
export async function* exportRows(
  { table, vault, clock }: Stored,
  siteId: string,
  options: { contacts: boolean },
): AsyncGenerator<Exclude<ExportRow, ExportEnd>> {
  const sites = sitesOf(table, clock);
  const store = storeOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  const { site } = await sites.fresh(siteId);
  yield {
    type: 'header',
    format: 'sluice',
    version: 1,
    site: site.id,
    exportedAt: clock.now(),
    contacts: options.contacts,
  };
  for (const version of (await sites.policyVersions(site.id)).toReversed()) yield { type: 'policy', ...version };
  for (const { email, ...author } of site.authors) yield { type: 'author', ...author, ...(email && { email }) };

  const said = new Set<string>();
  for await (const { thread, ids } of byThread({ table, clock }, site.id)) {
    const { site: _site, closed = false, ...rest } = thread;
    yield { type: 'thread', ...rest, closed };
    for await (const one of inTurns(ids, (some) => Promise.all(some.map((id) => store.whole(id))))) {
      const id = one.comment.author.contact;
      if (options.contacts && id !== undefined && !said.has(id)) {
        said.add(id);
        const row = await contactRow({ table, contacts, vault, site: site.id }, id);
        if (row) yield row;
      }
      yield { type: 'comment', ...one };
    }
  }
}

/** The same for WordPress: what readers see, or the newest text. */
export async function* wxrRows(
  { table, vault, clock }: Stored,
  siteId: string,
  options: { contacts: boolean },
): AsyncGenerator<WxrRow> {
  const store = storeOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  for await (const { thread, ids } of byThread({ table, clock }, siteId)) {
    const { key, url, title, closed = false } = thread;
    yield { type: 'thread', key, ...(url && { url }), ...(title && { title }), closed };
    for await (const { comment, text } of inTurns(ids, (some) => shownOf(store, some))) {
      const { contact, name, url: home } = comment.author;
      const email = options.contacts && contact !== undefined ? (await contacts.email(contact))?.email : undefined;
      yield {
        type: 'comment',
        id: comment.id,
        parentId: comment.parentId,
        author: { name, ...(email && { email }), ...(home && { url: home }) },
        html: text?.html ?? '',
        at: comment.submittedAt,
        status: STATUS[comment.status],
      };
    }
  }
}

/** The ids of a thread's comments and when each came: as columns, which cost a third of a map. */
type Listed = { ids: string[]; ats: number[] };

/** The threads, each with the ids of its comments by time. */
async function* byThread(
  { table, clock }: Pick<Stored, 'table' | 'clock'>,
  site: string,
): AsyncGenerator<{ thread: Thread; ids: readonly string[] }> {
  const sites = sitesOf(table, clock);
  const listed = new Map<string, Listed>();
  for await (const { id, thread, submittedAt } of commentsOf(table, site)) {
    let known = listed.get(thread);
    if (!known) listed.set(thread, (known = { ids: [], ats: [] }));
    known.ids.push(id);
    known.ats.push(submittedAt);
  }
  let cursor: string | undefined;
  do {
    const page = await sites.threads(site, { limit: 500, ...(cursor && { cursor }) });
    for (const thread of page.threads) {
      yield { thread, ids: inOrder(listed.get(thread.key)) };
      listed.delete(thread.key);
    }
    cursor = page.cursor;
  } while (cursor);
  for (const [key, some] of listed) yield { thread: { site, key }, ids: inOrder(some) };
}

/** By time, each once. */
function inOrder({ ids, ats }: Listed = { ids: [], ats: [] }): readonly string[] {
  const order = ids.map((_id, index) => index).sort((a, b) => ats[a]! - ats[b]! || (ids[a]! < ids[b]! ? -1 : 1));
  return order.map((index) => ids[index]!).filter((id, index, all) => id !== all[index - 1]);
}

/** What is read of the ids, some at a time; without those that went meanwhile. */
async function* inTurns<T>(
  ids: readonly string[],
  read: (some: readonly string[]) => Promise<readonly (T | undefined)[]>,
): AsyncGenerator<T> {
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    for (const one of await read(ids.slice(from, from + AT_ONCE))) if (one !== undefined) yield one;
  }
}

/** Comments with the text that readers see, or the newest one. */
async function shownOf(store: Store, ids: readonly string[]) {
  const comments = (await store.getMany(ids)).filter((comment) => comment !== undefined);
  const texts = await store.revisions(
    comments.map(({ id, publishedRevision, revision }) => ({ id, revision: publishedRevision ?? revision })),
  );
  return comments.map((comment, index) => ({ comment, text: texts[index] }));
}

async function contactRow(
  { table, contacts, vault, site }: { table: Table; contacts: Contacts; vault: Vault; site: string },
  id: string,
): Promise<Extract<ExportRow, { type: 'contact' }> | undefined> {
  const contact = (await contacts.get(id)) as
    | (Awaited<ReturnType<typeof contacts.get>> & { expiresAt?: number })
    | undefined;
  if (!contact) return undefined;
  const { emailHash, lang } = contact;
  const address = emailHash ? await contacts.address(emailHash) : undefined;
  const scopes = emailHash
    ? (await allOf(table, `E#${emailHash}`, 'out#')).map(({ sk }) => sk.slice('out#'.length))
    : [];
  const here = `${site}#`;
  const threads = scopes.flatMap((scope) => (scope.startsWith(here) ? [scope.slice(here.length)] : []));
  const all = scopes.includes('all');
  return {
    type: 'contact',
    id,
    ...(contact.email && { email: vault.open(contact.email) }),
    ...(contact.client && { ip: vault.open(contact.client) }),
    ...(lang && { lang }),
    ...(address?.confirmedAt !== undefined && { confirmedAt: address.confirmedAt }),
    ...(contact.expiresAt !== undefined && { expiresAt: contact.expiresAt }),
    ...(address?.suppressed !== undefined && { suppressed: true }),
    ...((all || threads.length > 0) && { unsubscribed: { ...(all && { all }), threads } }),
  };
}
