import { hash } from 'node:crypto';
import type { Comment, LogRow, Revision } from '../../shared/comment.ts';
import { writerKeyOf } from '../../shared/door-note.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Clock } from '../../shared/ports.ts';
import { contactIdOf } from '../../shared/store/contacts.ts';
import type { Author, Site } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';
import { fingerprint } from '../spam-check/fingerprint.ts';
import { BIDI, CONTROL, INVISIBLE } from '../validate/characters.ts';
import { checkDraft } from '../validate/check.ts';
import { excerpt, linksOf, plainText, render } from '../validate/markdown.ts';
import { HashTable } from './hash-table.ts';
import { hash64 } from './ids.ts';
import type { PlannedComment } from './order.ts';
import type { ReportCollector } from './report.ts';
import { keyFault, threadOf, type Aliases } from './thread-keys.ts';

/** One comment with all that is written in its moment. */
export type Entry = { line: number; comment: Comment; revisions: readonly Revision[]; log: readonly LogRow[] };

/** A planned comment as it is stored. */
export type Prepared = {
  entry: Entry;
  /** The address whose contact the writer's record names. */
  email: string | undefined;
  /** The unpublished comment that this published one answers: readers see its place, without its text. */
  answers: string | undefined;
};

export type PreparerOptions = {
  vault: Vault;
  clock: Clock;
  site: Site;
  policy: Policy;
  aliases: Aliases;
  report: ReportCollector;
};

/** Remembered names, keys and contacts; past this they are made anew. */
const REMEMBERED = 50_000;
/** The longest body of any policy: what an earlier system took is not refused for a stricter rule of today. */
const BODY_BYTES = 16_384;
const NAME_CHARACTERS = 80;

/**
 * Makes records of what a plan hands out: cleans, renders and keys each comment as a submitted one. It needs no store, so
 * that a thread of its own can do it.
 *
 * @returns a function that takes the plan's comments in their order; undefined for one that cannot be taken, and the report
 *   says why
 */
export function preparer({ vault, clock, site, policy, aliases, report }: PreparerOptions) {
  const keyOf = remembering((key: string) => threadOf(site, aliases, key));
  const contactOf = remembering((email: string) => contactIdOf(vault, { email }));
  const writerOf = remembering((who: string) =>
    writerKeyOf(vault, site.id, who.startsWith('e:') ? { name: '', email: who.slice(2) } : { name: who.slice(2) }),
  );
  /** Comments that could not be taken: their answers move to the top. */
  const left = new Set<string>();
  /** How deep those stand whose place changed by that. */
  const moved = new Map<string, number>();
  /** Comments that no reader sees: of a file full of spam, nearly all. */
  const unlisted = new HashTable();
  const taken: Policy = { ...policy, bodyBytes: BODY_BYTES };
  const authors = new Map(site.authors.flatMap((author) => authorNames(author).map((name) => [name, author] as const)));

  /** The draft's fields in their normal form; a sentence where the text cannot be taken. */
  function clean(item: PlannedComment): { body: string; email?: string; url?: string; stripped: object } | string {
    const gone = item.status === 'deleted';
    const checked = checkDraft(
      {
        author: { name: 'x', email: item.author.email, url: item.author.url },
        body: gone ? 'x' : item.body.toWellFormed().replace(/\r\n?/g, '\n').replace(CONTROL, ''),
      },
      taken,
      { origins: [] },
    );
    if (checked.ok) {
      const { author, body, bidi, hidden } = checked.draft;
      const { name: _name, ...addresses } = author;
      return {
        ...addresses,
        body: gone ? '' : body,
        stripped: bidi + hidden > 0 ? { stripped: { bidi, hidden } } : {},
      };
    }
    const fault = checked.faults.find(({ pointer }) => pointer === '/body');
    if (fault) return `The text ${fault.detail.replace(/; .*$/, '')}.`;
    const author = { ...item.author };
    for (const { pointer, detail } of checked.faults) {
      const [what, field] =
        pointer === '/author/email' ? (['e-mail address', 'email'] as const) : (['web address', 'url'] as const);
      report.note('warning', item.line, `The writer's ${what} ${detail.replace(/; .*$/, '')}; it is left out.`);
      author[field] = '';
    }
    return clean({ ...item, author });
  }

  function place({ id, parentId, depth, line }: PlannedComment): { parentId: string | null; depth: number } {
    if (parentId !== null && left.has(parentId)) {
      report.note('warning', line, 'Answers a comment that is not imported; it stands at the top of its thread.');
      moved.set(id, 0);
      return { parentId: null, depth: 0 };
    }
    const above = parentId === null ? undefined : moved.get(parentId);
    if (above === undefined) return { parentId, depth };
    moved.set(id, above + 1);
    return { parentId, depth: above + 1 };
  }

  return (item: PlannedComment): Prepared | undefined => {
    const { id, at, status, line } = item;
    if (status !== 'published' && status !== 'deleted') unlisted.add(...hash64(id));
    const thread = keyOf(item.thread.key);
    const cleaned = thread === undefined ? keyFault(item.thread.key) : clean(item);
    if (thread === undefined || typeof cleaned === 'string') {
      left.add(id);
      report.note('skipped', line, cleaned as string);
      return undefined;
    }
    const { body, email, url, stripped } = cleaned;
    const { parentId, depth } = place(item);
    const gone = status === 'deleted';
    const shown = status === 'published';
    const name = oneLine(item.author.name, NAME_CHARACTERS) || 'Anonymous';
    const author = item.author.isAuthor
      ? (authors.get(`e:${email?.toLowerCase() ?? ''}`) ?? authors.get(`n:${name.toLowerCase()}`))
      : undefined;
    const comment: Comment = {
      id,
      site: site.id,
      thread,
      parentId,
      depth,
      status,
      version: 1,
      revision: 1,
      publishedRevision: shown ? 1 : null,
      pendingRevision: null,
      author: {
        name: gone && item.author.name === '' ? '' : name,
        ...(url && { url }),
        key: author ? `author-${author.id}` : writerOf(email ? `e:${email}` : `n:${name}`),
        ...(author && { role: 'author' as const, authorId: author.id }),
        ...(email && { contact: contactOf(email) }),
      },
      notifyReplies: false,
      lane: '',
      contentHash: hash(
        'sha256',
        JSON.stringify([site.id, thread, parentId, item.author.name, item.body]),
        'base64url',
      ).slice(0, 22),
      excerpt: gone ? '' : excerpt(body),
      fingerprint: gone ? '' : fingerprint(plainText(body)),
      linkHosts: gone ? [] : linksOf(body, url).hosts.slice(0, 20),
      lang: '',
      ...stripped,
      submittedAt: at,
      // A tombstone keeps its place among what readers see.
      ...((shown || gone) && { publishedAt: at }),
      // No `heldVersion`: nothing waits for the decision, so nobody is reminded of it.
      ...(status === 'held' && { heldAt: at, holdReason: 'imported' }),
      ...(item.editedAt !== undefined && { editedAt: item.editedAt }),
      reports: 0,
      appeals: 0,
      imported: true,
    };
    const html = gone ? '' : render(body, { images: policy.images });
    return {
      entry: {
        line,
        comment,
        revisions: [{ commentId: id, revision: 1, body, html, at }],
        log: [
          { commentId: id, version: 1, at: clock.now(), by: 'import', action: 'import', from: 'received', to: status },
        ],
      },
      email,
      answers: shown && parentId !== null && unlisted.find(...hash64(parentId)) >= 0 ? parentId : undefined,
    };
  };
}

/** `make`, with its last results kept. */
function remembering<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined && !known.has(key)) {
      if (known.size >= REMEMBERED) known.clear();
      known.set(key, (value = make(key)));
    }
    return value as T;
  };
}

function authorNames({ name, email }: Author): string[] {
  return [...(email ? [`e:${email.toLowerCase()}`] : []), `n:${name.toLowerCase()}`];
}

export function oneLine(text: string, most: number): string {
  const line = text
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(CONTROL, '')
    .replace(BIDI, '')
    .replace(INVISIBLE, '')
    .normalize('NFC')
    .trim();
  return line.length <= most ? line : Array.from(line).slice(0, most).join('').trim();
}
