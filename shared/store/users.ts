import type { Clock, Table } from '../ports.ts';
import { strip } from './keys.ts';

export type Role = {
  /** A site's id, or `*` for all of them. */
  site: string;
  role: 'moderator' | 'admin';
};

/** Somebody who works at the desk. */
export type User = {
  name: string;
  /** argon2id in PHC form; never leaves the server. */
  password: string;
  roles: readonly Role[];
  createdAt: number;
  /** Sessions opened before this are void: a new password ends them. */
  sessionsFrom: number;
  disabled?: boolean;
  version: number;
};

export type Session = { user: string; at: number; expiresAt: number };

/** Failures are counted in slots of a minute, so that the window slides and no two guesses share a write. */
const SLOT_MS = 60_000;

const userKey = (name: string) => ({ pk: `U#${name}`, sk: 'user' });
const sessionKey = (hash: string) => ({ pk: `SESSION#${hash}`, sk: 'session' });

export type Users = ReturnType<typeof usersOf>;

export function usersOf(table: Table, clock: Clock) {
  const get = async (name: string): Promise<User | undefined> => {
    const item = await table.get(userKey(name));
    return item && strip<User>(item);
  };

  return {
    get,

    async list(): Promise<readonly User[]> {
      const { items } = await table.query({ pk: 'USERS', limit: 1000 });
      const found = await Promise.all(items.map((item) => get(item.sk)));
      return found.filter((user) => user !== undefined);
    },

    /** False when the name is taken. */
    async add(user: Omit<User, 'version'>): Promise<boolean> {
      const result = await table.write([
        { put: { ...userKey(user.name), ...user, version: 1 }, if: 'absent' },
        { put: { pk: 'USERS', sk: user.name } },
      ]);
      return result.done;
    },

    /** False when somebody else changed the user since it was read. */
    async change(user: User, set: Partial<Omit<User, 'name' | 'version'>>): Promise<boolean> {
      const next = { ...user, ...set, version: user.version + 1 };
      const result = await table.write([{ put: { ...userKey(user.name), ...next }, if: { version: user.version } }]);
      return result.done;
    },

    /** @param hash of the token: who reads the table cannot sign in with what it holds */
    async openSession(hash: string, user: string, seconds: number): Promise<Session> {
      const at = clock.now();
      const session = { user, at, expiresAt: Math.floor(at / 1000) + seconds };
      await table.write([{ put: { ...sessionKey(hash), ...session } }]);
      return session;
    },

    async session(hash: string): Promise<Session | undefined> {
      const item = await table.get(sessionKey(hash));
      return item && (item.expiresAt ?? 0) * 1000 > clock.now() ? strip<Session>(item) : undefined;
    },

    async endSession(hash: string): Promise<void> {
      await table.write([{ delete: sessionKey(hash) }]);
    },

    /**
     * Counts one attempt and answers the attempts within the window, this one included, with the time until the oldest
     * leaves it.
     *
     * @param who keyed hash of user and address
     */
    async attempt(who: string, windowMs: number): Promise<{ attempts: number; freeInMs: number }> {
      const now = clock.now();
      const slot = Math.floor(now / SLOT_MS);
      const slots = Math.ceil(windowMs / SLOT_MS);
      await table.increment(
        { pk: `TRY#${who}`, sk: String(slot) },
        { count: 1 },
        { expiresAt: Math.floor((now + windowMs) / 1000) + 60 },
      );
      const keys = Array.from({ length: slots }, (_, back) => ({ pk: `TRY#${who}`, sk: String(slot - back) }));
      const found = await table.getMany(keys);
      const counts = found.map((item) => Number(item?.count ?? 0));
      const oldest = counts.findLastIndex((count) => count > 0);
      return {
        attempts: counts.reduce((sum, count) => sum + count, 0),
        freeInMs: (slot - oldest + slots) * SLOT_MS - now,
      };
    },

    /** Takes back the attempt just counted: one that was refused unread does not prolong the lock. */
    async forgive(who: string): Promise<void> {
      await table.increment({ pk: `TRY#${who}`, sk: String(Math.floor(clock.now() / SLOT_MS)) }, { count: -1 });
    },

    async forgiveAll(who: string, windowMs: number): Promise<void> {
      const slot = Math.floor(clock.now() / SLOT_MS);
      await table.write(
        Array.from({ length: Math.ceil(windowMs / SLOT_MS) }, (_, back) => ({
          delete: { pk: `TRY#${who}`, sk: String(slot - back) },
        })),
      );
    },
  };
}
