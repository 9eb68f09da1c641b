import type { DoorNote } from './events.ts';
import type { Vault } from './vault.ts';

/** What the signature covers: the comment and all that our door vouches for, in a fixed order. */
const covered = (id: string, note: Omit<DoorNote, 'signature'>): string =>
  JSON.stringify([
    id,
    note.contact,
    note.writer,
    note.network,
    note.role,
    note.authorId,
    note.elapsedMs,
    note.honeypot,
    note.pace && [note.pace.writer, note.pace.lane],
  ]);

/** The client's address is believed only from our door: others can put events, and cannot sign. */
export const signNote = (vault: Vault, id: string, note: Omit<DoorNote, 'signature'>): DoorNote => ({
  ...note,
  signature: vault.sign('door', covered(id, note)),
});

export const noteHolds = (vault: Vault, id: string, note: DoorNote): boolean =>
  vault.verify('door', covered(id, note), note.signature);

/** How a site knows a writer again: by e-mail, else by name and network. A keyed hash, no address. */
export const writerKeyOf = (
  vault: Vault,
  site: string,
  who: { email?: string | undefined; name: string; network?: string | undefined },
): string =>
  vault
    .sign(
      'writer',
      who.email ? `${site}\n${who.email.trim().toLowerCase()}` : `${site}\n\n${who.name}\n${who.network ?? ''}`,
    )
    .slice(0, 22);
