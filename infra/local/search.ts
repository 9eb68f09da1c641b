import type { DeskQuery, Search } from '../../shared/ports.ts';
import { deskListing, timeKey } from '../../shared/store/keys.ts';
import { SluiceError } from '../../shared/errors.ts';
import type { Database } from './database.ts';

type RevisionRow = { id: number; doc: string };
type HitRow = { id: number; comment: string; sort: string | number };

/** Texts taken into the index in one go: small, so that a request never waits long behind it. */
const INDEX_BATCH = 500;

const STATUSES = ['published', 'held', 'rejected', 'spam', 'removed', 'deleted', 'received'];

/**
 * The desk's listing over SQLite: every filter over everything, full text by FTS5.
 *
 * Texts are indexed in the background (`index`), and to the end before a search: a submission pays nothing for it.
 */
export function localSearch(database: Database): Search & { index(): Promise<number> } {
  const { sqlite } = database;
  const mark = sqlite.prepare(`SELECT value FROM mark WHERE name = 'comment_text'`);
  const setMark = sqlite.prepare(
    `INSERT INTO mark (name, value) VALUES ('comment_text', $value) ON CONFLICT (name) DO UPDATE SET value = $value`,
  );
  const fresh = sqlite.prepare(
    `SELECT id, doc FROM item WHERE id > $after AND sk >= 'R#' AND sk < 'R$' ORDER BY id LIMIT $max`,
  );
  const last = sqlite.prepare('SELECT max(id) AS id FROM item');
  const headOf = sqlite.prepare(
    `SELECT doc ->> '$.author.name' || ' ' || (doc ->> '$.author.key') AS author FROM item WHERE pk = $pk AND sk = 'head'`,
  );
  const addText = sqlite.prepare('INSERT INTO comment_text (comment_id, body, author) VALUES (?, ?, ?)');

  const forgotten = sqlite.prepare('SELECT 1 FROM forgotten LIMIT 1');
  const FORGOTTEN = 'SELECT comment_id FROM forgotten';

  const index = async (): Promise<number> => {
    if (forgotten.get()) {
      await database.write(() =>
        sqlite.exec(`DELETE FROM comment_text WHERE comment_id IN (${FORGOTTEN});
          DELETE FROM express WHERE subject IN (${FORGOTTEN}); DELETE FROM forgotten;`),
      );
    }
    const after = (mark.get() as { value: number } | undefined)?.value ?? 0;
    const { id: newest } = last.get() as { id: number | null };
    if (newest === null || newest <= after) return 0;
    const rows = fresh.all({ $after: after, $max: INDEX_BATCH }) as RevisionRow[];
    return database.write(() => {
      for (const row of rows) {
        const { commentId, body } = JSON.parse(row.doc) as { commentId: string; body: string };
        const head = headOf.get({ $pk: `C#${commentId}` }) as { author: string | null } | undefined;
        addText.run(commentId, body, head?.author ?? '');
      }
      setMark.run({ $value: rows.length === INDEX_BATCH ? (rows.at(-1)?.id ?? newest) : newest });
      return rows.length;
    });
  };

  return {
    index,
    async comments(query) {
      if (query.q || query.author) while ((await index()) === INDEX_BATCH);
      const { where, bindings } = filterOf(query);
      const { column, order } = sortOf(query);
      const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
      const down = order === 'DESC';
      const total = sqlite.prepare(`SELECT count(*) AS n FROM item WHERE ${where}`).get(bindings) as { n: number };
      const rows = sqlite
        .prepare(
          // The page first, by the index alone where it has all that is asked; then what stands behind it.
          `SELECT page.id, doc ->> '$.id' AS comment, page.sort FROM (
             SELECT id, ${column} AS sort FROM item WHERE ${where}
               ${after ? `AND (${column}, id) ${down ? '<' : '>'} ($afterSort, $afterId)` : ''}
              ORDER BY ${column} ${order}, id ${order} LIMIT $limit) AS page
           JOIN item ON item.id = page.id ORDER BY page.sort ${order}, page.id ${order}`,
        )
        .all({
          ...bindings,
          ...(after && { $afterSort: after[0], $afterId: after[1] }),
          $limit: query.limit + 1,
        }) as HitRow[];
      const shown = rows.slice(0, query.limit);
      const end = shown.at(-1);
      return {
        ids: shown.map(({ comment }) => comment),
        total: total.n,
        ...(rows.length > query.limit &&
          end && { nextCursor: Buffer.from(JSON.stringify([end.sort, end.id])).toString('base64url') }),
      };
    },
  };
}

function filterOf(query: DeskQuery): { where: string; bindings: Record<string, string | number> } {
  const parts: string[] = [];
  const bindings: Record<string, string | number> = {};
  const add = (sql: string, values: Record<string, string | number>) => {
    parts.push(sql);
    Object.assign(bindings, values);
  };
  // Who names words or a writer is answered from the text index: the listing's own must not be taken then.
  const byText = matchOf(query);
  const listing = byText || query.q ? '+gsi2pk' : 'gsi2pk';
  if (query.status === 'failed') {
    add(`sk = 'head' AND doc ->> '$.status' = 'received' AND pk IN (SELECT pk FROM item WHERE gsi2pk = $listing)`, {
      $listing: deskListing(query.site, 'failed'),
    });
  } else if (query.status) {
    add(`${listing} = $listing`, { $listing: deskListing(query.site, query.status) });
  } else {
    const names = STATUSES.map((status, index) => [`$listing${index}`, deskListing(query.site, status)] as const);
    add(`${listing} IN (${names.map(([name]) => name).join(', ')})`, Object.fromEntries(names));
  }
  if (byText || query.q) {
    const found = byText && `SELECT 'C#' || comment_id FROM comment_text WHERE comment_text MATCH $match`;
    const named = query.q && `SELECT 'C#' || $exact`;
    add(`sk = 'head' AND pk IN (${[found, named].filter(Boolean).join(' UNION ')})`, {
      ...(byText && { $match: byText }),
      ...(query.q && { $exact: query.q.trim() }),
    });
  }
  if (query.author)
    add(`(doc ->> '$.author.name' = $author OR doc ->> '$.author.key' = $author)`, { $author: query.author });
  if (query.thread) add(`doc ->> '$.thread' = $thread`, { $thread: query.thread });
  if (query.lang) add(`doc ->> '$.lang' = $lang`, { $lang: query.lang });
  // Nothing is listed from before it was submitted: the index leaves out what is older, the text decides the rest.
  if (query.since !== undefined) {
    add(`gsi2sk >= $sinceKey AND doc ->> '$.submittedAt' >= $since`, {
      $since: query.since,
      $sinceKey: timeKey(query.since, ''),
    });
  }
  if (query.until !== undefined) add(`doc ->> '$.submittedAt' <= $until`, { $until: query.until });
  if (query.decidedBy) add(`doc ->> '$.decidedBy' = $decidedBy`, { $decidedBy: query.decidedBy });
  if (query.network) add(`doc ->> '$.author.network' = $network`, { $network: query.network });
  if (query.fingerprint) add(`doc ->> '$.fingerprint' = $fingerprint`, { $fingerprint: query.fingerprint });
  if (query.linkHost) {
    add(`EXISTS (SELECT 1 FROM json_each(doc, '$.linkHosts') WHERE value = $linkHost)`, { $linkHost: query.linkHost });
  }
  if (query.signal) {
    // A judgement stands beside its comment, or, in comments of before, within it.
    add(
      `EXISTS (
         SELECT 1 FROM item AS judged, json_each(judged.doc, iif(judged.sk = 'head', '$.judgement.signals', '$.signals'))
          WHERE judged.pk = item.pk AND (judged.sk = 'head' OR judged.sk >= 'J#' AND judged.sk < 'J$')
            AND value ->> iif(judged.sk = 'head', '$.name', '$[0]') = $signal)`,
      { $signal: query.signal },
    );
  }
  return { where: parts.join(' AND '), bindings };
}

function sortOf({ sort, status }: DeskQuery): { column: string; order: 'ASC' | 'DESC' } {
  if (sort === 'risk') return { column: `coalesce(doc ->> '$.judgement.score', 0)`, order: 'DESC' };
  if (sort === 'reports') return { column: `coalesce(doc ->> '$.reports', 0)`, order: 'DESC' };
  if (status === 'failed') return { column: `doc ->> '$.submittedAt'`, order: sort === 'oldest' ? 'ASC' : 'DESC' };
  const newest = sort === 'newest' || (sort === undefined && status !== 'held');
  return { column: 'gsi2sk', order: newest ? 'DESC' : 'ASC' };
}

/**
 * Each word as a quoted prefix, a writer as a phrase: nothing that a moderator types is FTS5's own syntax.
 *
 * @returns empty where there is no word to look for
 */
function matchOf({ q = '', author = '' }: DeskQuery): string {
  const wordsOf = (text: string) => text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const writer = wordsOf(author);
  return [
    ...wordsOf(q)
      .slice(0, 20)
      .map((word) => `"${word}"*`),
    ...(writer.length > 0 ? [`author : "${writer.join(' ')}"`] : []),
  ].join(' AND ');
}

function readCursor(cursor: string): [string | number, number] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (
      Array.isArray(parts) &&
      parts.length === 2 &&
      ['string', 'number'].includes(typeof parts[0]) &&
      typeof parts[1] === 'number'
    ) {
      return parts as [string | number, number];
    }
  } catch {
    // Falls through to the same answer.
  }
  throw new SluiceError('Request.Invalid', 'the cursor is not one of ours', {
    hint: 'take nextCursor from the page before',
  });
}
