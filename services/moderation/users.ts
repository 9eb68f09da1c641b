import { randomBytes } from 'node:crypto';
import { SluiceError } from '../../shared/errors.ts';
import type { Ports } from '../../shared/ports.ts';
import { usersOf, type Role } from '../../shared/store/users.ts';
import { hashPassword } from './password.ts';

export const USER_NAME = /^[a-z0-9][a-z0-9._@-]{0,62}$/;
const SHORTEST_PASSWORD = 10;

type Needs = Pick<Ports, 'table' | 'clock'>;

/** Throws `Request.Invalid` for a name or password that does not do, or a name that is taken. */
export async function addUser(
  { table, clock }: Needs,
  user: { name: string; password: string; roles: readonly Role[] },
): Promise<void> {
  if (!USER_NAME.test(user.name)) {
    throw new SluiceError('Request.Invalid', `"${user.name.slice(0, 63)}" is no user name`, {
      hint: 'lower-case letters, digits and . _ @ -, at most 63',
      fields: [{ pointer: '/name', detail: 'lower-case letters, digits and . _ @ -, at most 63' }],
    });
  }
  checkPassword(user.password);
  const now = clock.now();
  const added = await usersOf(table, clock).add({
    name: user.name,
    password: await hashPassword(user.password),
    roles: user.roles,
    createdAt: now,
    sessionsFrom: now,
  });
  if (!added) {
    throw new SluiceError('Request.Invalid', `there is a user "${user.name}" already`, {
      hint: 'choose another name, or set the password: sluice user passwd',
      fields: [{ pointer: '/name', detail: 'taken' }],
    });
  }
}

/** Ends the user's sessions. Throws `Request.NotFound` for nobody of that name. */
export async function setPassword({ table, clock }: Needs, name: string, password: string): Promise<void> {
  checkPassword(password);
  const users = usersOf(table, clock);
  const hash = await hashPassword(password);
  const user = await users.get(name);
  if (!user) {
    throw new SluiceError('Request.NotFound', `there is no user "${name.slice(0, 63)}"`, { hint: 'sluice user add' });
  }
  if (!(await users.change(user, { password: hash, sessionsFrom: clock.now() }))) {
    throw new SluiceError('Store.Busy', `user ${name} was changed meanwhile`, { hint: 'try again' });
  }
}

/** The first moderator. A password is made, and answered once, unless one is given; an `admin` that is there stays. */
export async function ensureAdmin(ports: Needs, password?: string): Promise<{ created: boolean; password?: string }> {
  if (await usersOf(ports.table, ports.clock).get('admin')) return { created: false };
  const made = password ?? randomBytes(15).toString('base64url');
  const now = ports.clock.now();
  // The operator's own choice of password stands, short or not: they can read the log, and every moderator after is checked.
  await usersOf(ports.table, ports.clock).add({
    name: 'admin',
    password: await hashPassword(made),
    roles: [{ site: '*', role: 'admin' }],
    createdAt: now,
    sessionsFrom: now,
  });
  return { created: true, ...(password === undefined && { password: made }) };
}

function checkPassword(password: string): void {
  if ([...password].length >= SHORTEST_PASSWORD && password.length <= 1024) return;
  throw new SluiceError('Request.Invalid', 'the password is too short or too long', {
    hint: `take ${SHORTEST_PASSWORD} to 1024 characters`,
    fields: [{ pointer: '/password', detail: `${SHORTEST_PASSWORD} to 1024 characters` }],
  });
}
