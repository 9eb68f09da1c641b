import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports, Table } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { strip, timeKey } from '../../shared/store/keys.ts';
import type { Changes } from './changes.ts';
import { may, type Moderator } from './moderator.ts';

/** What moderators tell each other about a comment; readers never see one. */
export type Note = { id: string; commentId: string; by: string; at: number; text: string };

export const notesOf = (table: Table) => ({
  /** Oldest first. */
  async of(commentId: string): Promise<readonly Note[]> {
    const { items } = await table.query({ pk: `C#${commentId}`, prefix: 'M#', limit: 200 });
    return items.map((item) => strip<Note>(item));
  },
});

const NewNote = z.strictObject({ text: z.string().trim().min(1).max(2000) });

export function noteRoutes({ table, clock, ids }: Ports, changes: Changes): Route<Moderator>[] {
  const store = storeOf(table, clock);
  const siteOf = async (moderator: Moderator, id: string): Promise<string> => {
    const comment = await store.get(id);
    if (comment && may(moderator, comment.site)) return comment.site;
    throw new SluiceError('Comment.Unknown', `no comment ${id.slice(0, 64)}`, { hint: 'check the id' });
  };
  return [
    {
      method: 'GET',
      path: '/v1/moderation/comments/:id/notes',
      summary: 'What moderators told each other about a comment, oldest first',
      access: 'moderator',
      responses: { 200: { description: '{notes}' } },
      async handle({ caller, params }) {
        await siteOf(caller, params.id ?? '');
        return { status: 200, body: { notes: await notesOf(table).of(params.id ?? '') } };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/comments/:id/notes',
      summary: 'Adds a note for other moderators',
      access: 'moderator',
      body: NewNote,
      responses: { 201: { description: 'The note' } },
      async handle({ caller, params, body }) {
        const { text }: z.infer<typeof NewNote> = body;
        const commentId = params.id ?? '';
        const site = await siteOf(caller, commentId);
        const note: Note = { id: ids.next(), commentId, by: caller.user, at: clock.now(), text };
        await table.write([{ put: { pk: `C#${commentId}`, sk: `M#${timeKey(note.at, note.id)}`, ...note } }]);
        changes.push({ site, commentId, type: 'noted', by: caller.user });
        return { status: 201, body: note };
      },
    },
  ];
}
