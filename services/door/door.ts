import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import { sitesOf } from '../../shared/store/sites.ts';

/** What every call of the door works with, made once. */
export function doorOf(ports: Ports, { rateLimit }: { rateLimit: boolean }) {
  return {
    ports,
    rateLimit,
    store: storeOf(ports.table, ports.clock),
    sites: sitesOf(ports.table, ports.clock),
    contacts: contactsOf(ports.table, ports.vault, ports.clock),
    deadLetters: deadLettersOf(ports.table),
  };
}
export type Door = ReturnType<typeof doorOf>;
