import type { Comment } from '../../shared/comment.ts';
import { writerKeyOf } from '../../shared/door-note.ts';
import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Item, Table, Write } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactIdOf, contactsOf } from '../../shared/store/contacts.ts';
import { strip, writerKey } from '../../shared/store/keys.ts';
import { namesOf } from '../../shared/store/names.ts';
import { notificationsOf } from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';
import { skeleton } from '../validate/names.ts';
import { allOf, erase } from './erase.ts';
import { commentsOf } from './export.ts';

type Stored = { table: Table; vault: Vault; clock: Clock };

/** What is stored on one person: found by the address, in all contacts that hold it and by the key that sites derive from it. */
export type Person = {
  email: string;
  emailHash: string;
  contacts: readonly string[];
  comments: readonly Comment[];
  /** Where the person wrote, with the key by which that site knows them. */
  writers: readonly { site: string; key: string }[];
};

/** Reads every comment of the sites: no index leads from an address to comments, so that none can leak. */
export async function findPerson({ table, vault, clock }: Stored, email: string, only?: string): Promise<Person> {
  const contacts = contactsOf(table, vault, clock);
  const emailHash = contacts.hashOf(email);
  const own = new Map<string, boolean>();
  const isOwn = async (id: string) => {
    let known = own.get(id);
    if (known === undefined) own.set(id, (known = (await contacts.get(id))?.emailHash === emailHash));
    return known;
  };
  const found = new Map<string, Comment>();
  const writers: { site: string; key: string }[] = [];
  for (const { id: site } of await sitesOf(table, clock).list()) {
    if (only !== undefined && site !== only) continue;
    const key = writerKeyOf(vault, site, { email, name: '' });
    writers.push({ site, key });
    for await (const comment of commentsOf(table, site)) {
      const { contact } = comment.author;
      if (comment.author.key === key || (contact !== undefined && (await isOwn(contact))))
        found.set(comment.id, comment);
    }
  }
  await isOwn(contactIdOf(vault, { email }));
  return {
    email,
    emailHash,
    contacts: [...own].filter(([, yes]) => yes).map(([id]) => id),
    comments: [...found.values()],
    writers,
  };
}

/** All that is stored on a person, addresses in plain text, for the person. */
export async function personExport(stored: Stored, email: string): Promise<object> {
  const { table, vault, clock } = stored;
  const person = await findPerson(stored, email);
  const store = storeOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  const notifications = notificationsOf(table);
  const sites = await sitesOf(table, clock).list();
  return {
    email,
    exportedAt: new Date(clock.now()).toISOString(),
    contacts: await Promise.all(
      person.contacts.map(async (id) => {
        const contact = await contacts.get(id);
        return {
          ...contact,
          ...(contact?.email && { email: vault.open(contact.email) }),
          ...(contact?.client && { client: vault.open(contact.client) }),
        };
      }),
    ),
    address: (await allOf(table, `E#${person.emailHash}`)).map((item) => ({ ...strip<object>(item), record: item.sk })),
    writers: await Promise.all(
      person.writers.map(async ({ site, key }) => ({ site, key, history: await store.writerHistory(site, key) })),
    ),
    authorOf: sites.flatMap(({ id, authors }) =>
      authors.filter((author) => same(author.email, email)).map((author) => ({ site: id, ...author })),
    ),
    comments: await Promise.all(
      person.comments.map(async (comment) => ({
        comment,
        revisions: await store.allRevisions(comment.id),
        log: await store.log(comment.id),
        notifications: await notifications.of(comment.id),
      })),
    ),
  };
}

/**
 * What one site stores on a person, as the person may have it without anybody's help.
 *
 * Without what is others': who moderated and the notes they made, and the signals of the judge, which would teach a spammer how
 * to pass. Who asks an operator gets what `personExport` has.
 */
export async function ownExport(stored: Stored, email: string, site: string): Promise<object> {
  const { table, vault, clock } = stored;
  const person = await findPerson(stored, email, site);
  const store = storeOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  const notifications = notificationsOf(table);
  const mine = new Set(person.contacts.flatMap((id) => [`contact:${id}`, `confirmation:${id}`]));
  const known = await contacts.address(person.emailHash);
  const beside = await allOf(table, `E#${person.emailHash}`);
  const { authors } = (await sitesOf(table, clock).rules(site)).site;
  const key = person.writers[0]?.key ?? '';
  return {
    email,
    site,
    exportedAt: iso(clock.now()),
    contacts: await Promise.all(
      person.contacts.map(async (id) => {
        const { email: sealed, client, ...rest } = (await contacts.get(id)) ?? {};
        return {
          ...rest,
          ...(sealed && { email: vault.open(sealed) }),
          ...(client && { client: vault.open(client) }),
        };
      }),
    ),
    mail: {
      confirmedAt: iso(known?.confirmedAt),
      suppressed: known?.suppressed,
      ended: beside.flatMap(({ sk }) =>
        sk === 'out#all' || sk.startsWith(`out#${site}#`) ? [sk.slice('out#'.length)] : [],
      ),
      repliesAskedFor: person.comments.filter(({ notifyReplies }) => notifyReplies).map(({ id }) => id),
    },
    history: await store.writerHistory(site, key),
    authorOf: authors.filter((author) => same(author.email, email)),
    comments: await Promise.all(
      person.comments.map(async (comment) => {
        const { id, thread, parentId, status, author, page, lang, submittedAt, editedAt, appeal } = comment;
        const { name, url, role } = author;
        const [revisions, log, told] = await Promise.all([store.allRevisions(id), store.log(id), notifications.of(id)]);
        return {
          id,
          thread,
          parentId,
          status,
          author: { name, url, role },
          page,
          lang,
          appeal,
          submittedAt: iso(submittedAt),
          editedAt: iso(editedAt),
          texts: revisions.map(({ body, at }) => ({ body, at: iso(at) })),
          decisions: log.flatMap(({ at, by, action, from, to, reason }) =>
            from === to
              ? []
              : [{ at: iso(at), by: by.startsWith('user:') ? 'moderator' : by, action, from, to, reason }],
          ),
          mails: told
            .filter(({ recipient }) => mine.has(recipient))
            .map(({ kind, state, at }) => ({ kind, state, at: iso(at) })),
        };
      }),
    ),
  };
}

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

export type Forgotten = {
  comments: readonly string[];
  contacts: number;
  sites: readonly string[];
  /** Other sites have comments with the address, which therefore stays. */
  addressKept: boolean;
};

export type ForgetOptions = {
  site?: string | undefined;
  dryRun?: boolean;
  /** What the runtime keeps of the comments outside the table: an index of texts, histories of runs. */
  onErased?: (ids: readonly string[]) => Promise<void>;
};

/**
 * Erases a person: contacts and what waits for the address go, comments become tombstones without name and text.
 *
 * Kept: that the address wants no mail, as a keyed hash, since forgetting that would write to it again. Twice is once.
 */
export async function forgetEmail(stored: Stored, email: string, options: ForgetOptions = {}): Promise<Forgotten> {
  const { table, vault, clock } = stored;
  const person = await findPerson(stored, email);
  const isMeant = ({ site }: { site: string }) => options.site === undefined || site === options.site;
  const found = person.comments.filter(isMeant);
  const comments = found.filter((comment) => !isErased(comment));
  // The address serves the other sites still.
  const addressKept = person.comments.some((comment) => !isMeant(comment) && !isErased(comment));
  const forgotten = {
    comments: comments.map(({ id }) => id),
    contacts: addressKept ? 0 : person.contacts.length,
    sites: [...new Set(comments.map(({ site }) => site))],
    addressKept,
  };
  if (options.dryRun) return forgotten;
  await freeNames(stored, comments);
  for (const { id } of found) await erase(stored, id);
  for (const { site, key } of person.writers.filter(isMeant)) await table.write([{ delete: writerKey(site, key) }]);
  if (!addressKept) {
    const contacts = contactsOf(table, vault, clock);
    for (const id of person.contacts) await contacts.forget(id);
    for (const item of await allOf(table, `E#${person.emailHash}`)) {
      if (item.sk.startsWith('out#')) continue;
      const { confirmedAt: _at, confirmationSentAt: _sent, ...rest } = item;
      const write: Write =
        item.sk === 'address' && item.suppressed !== undefined ? { put: rest as Item } : { delete: item };
      await table.write([write]);
    }
  }
  await options.onErased?.(found.map(({ id }) => id));
  return forgotten;
}

/** Erases one comment, and its contact when no other comment carries it. */
export async function forgetComment(stored: Stored, id: string, options: ForgetOptions = {}): Promise<Forgotten> {
  const { table, vault, clock } = stored;
  const comment = await storeOf(table, clock).get(id);
  if (!comment || (options.site !== undefined && comment.site !== options.site)) {
    throw new SluiceError('Comment.Unknown', `there is no comment ${id}${options.site ? ` on ${options.site}` : ''}`, {
      hint: 'take the id from the desk or from a permalink',
    });
  }
  const { contact } = comment.author;
  let alone = contact !== undefined;
  if (contact !== undefined) {
    for (const { id: site } of await sitesOf(table, clock).list()) {
      for await (const other of commentsOf(table, site)) {
        if (other.id !== id && other.author.contact === contact) alone = false;
      }
    }
  }
  const forgotten = {
    comments: isErased(comment) ? [] : [id],
    contacts: alone ? 1 : 0,
    sites: [comment.site],
    addressKept: !alone,
  };
  if (options.dryRun) return forgotten;
  await freeNames(stored, [comment]);
  await erase(stored, id);
  if (alone && contact !== undefined) await contactsOf(table, vault, clock).forget(contact);
  await options.onErased?.([id]);
  return forgotten;
}

/** Gives back the names that a person kept by these comments. */
async function freeNames({ table, vault, clock }: Stored, comments: readonly Comment[]): Promise<void> {
  const names = namesOf(table, vault, clock);
  const ids = new Set(comments.map(({ id }) => id));
  const kept = new Map(comments.map(({ site, author }) => [`${site}\n${skeleton(author.name)}`, { site, author }]));
  for (const { site, author } of kept.values()) await names.free(site, skeleton(author.name), ids);
}

const isErased = ({ status, author }: Comment) => status === 'erased' && author.key === '';

const same = (a: string | undefined, b: string) => a !== undefined && a.trim().toLowerCase() === b.trim().toLowerCase();
