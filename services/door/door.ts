import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import { namesOf } from '../../shared/store/names.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { usersOf } from '../../shared/store/users.ts';

/** What every call of the door works with, made once. */
export function doorOf(ports: Ports, { rateLimit }: { rateLimit: boolean }) {
  return {
    ports,
    rateLimit,
    store: storeOf(ports.table, ports.clock),
    sites: sitesOf(ports.table, ports.clock),
    contacts: contactsOf(ports.table, ports.vault, ports.clock),
    deadLetters: deadLettersOf(ports.table),
    names: namesOf(ports.table, ports.vault, ports.clock),
    moderators: moderatorsOf(ports),
  };
}

/** Who moderates changes seldom: a door asks once in this time. */
const MODERATORS_MS = 60_000;

/** The names of a site's moderators, at most a minute old. */
function moderatorsOf({ table, clock }: Pick<Ports, 'table' | 'clock'>) {
  const users = usersOf(table, clock);
  let read: { at: number; list: ReturnType<typeof users.list> } | undefined;
  return async (site: string): Promise<readonly string[]> => {
    if (!read || clock.now() - read.at >= MODERATORS_MS) {
      read = { at: clock.now(), list: users.list() };
      read.list.catch(() => (read = undefined));
    }
    return (await read.list)
      .filter((user) => !user.disabled && user.roles.some((role) => role.site === site || role.site === '*'))
      .map(({ name }) => name);
  };
}

export type Door = ReturnType<typeof doorOf>;
