import type { Comment, LogRow } from '../../shared/comment.ts';
import type { Clock, Item, Table, Write } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';

/** The tombstone first, so that no reader sees half of it; then all that quotes the text. Each step can be repeated. */
export async function erase({ table, clock }: { table: Table; clock: Clock }, id: string): Promise<void> {
  const store = storeOf(table, clock);
  const gone = await store.changeLatest(id, (now) => {
    if (now.status === 'erased') return undefined;
    const { key } = now.author;
    return {
      set: {
        status: 'erased',
        publishedRevision: null,
        pendingRevision: null,
        // The key stays for this one write: the counters of the writer go down by it.
        author: { name: '', key },
        excerpt: '',
        fingerprint: '',
        linkHosts: [],
        notifyReplies: false,
        contentHash: '',
        queued: false,
        ...GONE,
      },
      by: 'forget',
      action: 'forget',
    };
  });
  await store.annotate(gone, { author: { name: '', key: '' } });
  for (const item of await allOf(table, `C#${id}`)) {
    const write = withoutWords(item);
    if (write) await table.write([write]);
  }
  const letters = deadLettersOf(table);
  const pointer = await table.get({ pk: `C#${id}`, sk: 'dead' });
  if (pointer) {
    const letter = await letters.get(String(pointer.deadLetterId));
    await table.write([
      { delete: { pk: `C#${id}`, sk: 'dead' } },
      ...(letter ? [{ delete: { pk: `D#${letter.id}`, sk: 'dead' } }] : []),
    ]);
  }
}

/** Fields that hold words of the writer or lead to them. */
const GONE = Object.fromEntries(
  ['appeal', 'judgement', 'stripped', 'form', 'token', 'owed', 'dueAt', 'reason', 'page'].map((name) => [
    name,
    undefined,
  ]),
) as Partial<Comment>;

/** What becomes of an item that stands beside the head. Undefined: it stays. */
function withoutWords(item: Item): Write | undefined {
  const { sk } = item;
  if (sk.startsWith('R#') || sk.startsWith('M#') || sk === 'claim') return { delete: item };
  if (sk.startsWith('Z#')) return 'note' in item ? { put: without(item, ['note']) } : undefined;
  if (sk.startsWith('J#')) {
    const { signals } = item as Item & { signals: readonly (readonly unknown[])[] };
    return { put: { ...item, signals: signals.map(([name, weight]) => [name, weight, '']) } };
  }
  if (!sk.startsWith('L#')) return undefined;
  const row = item as Item & LogRow;
  const put = without(item, ['note', 'before']);
  if (row.judgement) {
    put.judgement = { ...row.judgement, signals: row.judgement.signals.map((signal) => ({ ...signal, words: '' })) };
  }
  return { put };
}

const without = (item: Item, names: readonly string[]): Item =>
  Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name))) as Item;

/** Every item under a key, or those of its items whose sort key begins with `prefix`. */
export async function allOf(table: Table, pk: string, prefix?: string): Promise<Item[]> {
  const all: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ pk, limit: 1000, ...(prefix && { prefix }), ...(cursor && { cursor }) });
    all.push(...page.items);
    cursor = page.cursor;
  } while (cursor);
  return all;
}
