import { STATUSES, type Comment, type Revision } from '../../shared/comment.ts';
import type { Clock, Table } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { commentOf, deskListing, headKey } from '../../shared/store/keys.ts';
import { sitesOf, type Thread } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';
import { STATUS, type ExportEnd, type ExportRow } from './sluice.ts';
import type { WxrRow } from './wxr.ts';

type Stored = { table: Table; vault: Vault; clock: Clock };

const PAGE = 1000;
const MOST_KEYS = 100;

/** All comments of a site, by listing and time. One that changes its listing meanwhile may come twice. */
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
 * stands before the first comment that carries it. Memory grows with the number of comments (their ids), not with their texts.
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
  for await (const { thread, comments } of byThread({ table, clock }, site.id)) {
    const { site: _site, closed = false, ...rest } = thread;
    yield { type: 'thread', ...rest, closed };
    for await (const comment of comments) {
      const id = comment.author.contact;
      if (options.contacts && id !== undefined && !said.has(id)) {
        said.add(id);
        const row = await contactRow(contacts, vault, id);
        if (row) yield row;
      }
      const [revisions, log] = await Promise.all([store.allRevisions(comment.id), store.log(comment.id)]);
      const [whole = comment] = await store.judged([comment]);
      yield { type: 'comment', comment: whole, revisions, log };
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
  for await (const { thread, comments } of byThread({ table, clock }, siteId)) {
    const { key, url, title, closed = false } = thread;
    yield { type: 'thread', key, ...(url && { url }), ...(title && { title }), closed };
    for await (const comment of comments) {
      const { contact, name, url: home } = comment.author;
      const text: Revision | undefined = await store.revision(
        comment.id,
        comment.publishedRevision ?? comment.revision,
      );
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

async function* byThread(
  { table, clock }: Pick<Stored, 'table' | 'clock'>,
  site: string,
): AsyncGenerator<{ thread: Thread; comments: AsyncIterable<Comment> }> {
  const sites = sitesOf(table, clock);
  const ids = new Map<string, Map<string, number>>();
  for await (const { id, thread, submittedAt } of commentsOf(table, site)) {
    const known = ids.get(thread);
    if (known) known.set(id, submittedAt);
    else ids.set(thread, new Map([[id, submittedAt]]));
  }
  let cursor: string | undefined;
  do {
    const page = await sites.threads(site, { limit: 500, ...(cursor && { cursor }) });
    for (const thread of page.threads) {
      yield { thread, comments: inOrder(table, ids.get(thread.key)) };
      ids.delete(thread.key);
    }
    cursor = page.cursor;
  } while (cursor);
  for (const [key, some] of ids) yield { thread: { site, key }, comments: inOrder(table, some) };
}

async function* inOrder(table: Table, ids: ReadonlyMap<string, number> | undefined): AsyncGenerator<Comment> {
  const sorted = [...(ids ?? [])].sort(([a, atA], [b, atB]) => atA - atB || (a < b ? -1 : 1)).map(([id]) => id);
  for (let from = 0; from < sorted.length; from += MOST_KEYS) {
    for (const item of await table.getMany(sorted.slice(from, from + MOST_KEYS).map(headKey))) {
      if (item) yield commentOf(item);
    }
  }
}

async function contactRow(
  contacts: ReturnType<typeof contactsOf>,
  vault: Vault,
  id: string,
): Promise<Extract<ExportRow, { type: 'contact' }> | undefined> {
  const contact = (await contacts.get(id)) as
    | (Awaited<ReturnType<typeof contacts.get>> & { expiresAt?: number })
    | undefined;
  if (!contact) return undefined;
  const address = contact.emailHash ? await contacts.address(contact.emailHash) : undefined;
  return {
    type: 'contact',
    id,
    ...(contact.email && { email: vault.open(contact.email) }),
    ...(contact.client && { ip: vault.open(contact.client) }),
    ...(address?.confirmedAt !== undefined && { confirmedAt: address.confirmedAt }),
    ...(contact.expiresAt !== undefined && { expiresAt: contact.expiresAt }),
    ...(address?.suppressed !== undefined && { suppressed: true }),
  };
}
