import { SluiceError } from '../../shared/errors.ts';
import type { Role } from '../../shared/store/users.ts';

/** Who calls, as the session says. A public call has nobody behind it. */
export type Moderator = {
  user: string;
  roles: readonly Role[];
  /** Hash of the session's token; empty for nobody. */
  session: string;
};

export const NOBODY: Moderator = Object.freeze({ user: '', roles: [], session: '' });

export function may(moderator: Pick<Moderator, 'roles'>, site: string, role: Role['role'] = 'moderator'): boolean {
  return moderator.roles.some(
    (held) => (held.site === '*' || held.site === site) && (role === 'moderator' || held.role === 'admin'),
  );
}

/** Throws `Session.Forbidden` unless the moderator works at that site in that role. */
export function mustBe(moderator: Moderator, role: Role['role'], site: string): void {
  if (may(moderator, site, role)) return;
  throw new SluiceError('Session.Forbidden', `${moderator.user} is no ${role} of site "${site.slice(0, 63)}"`, {
    hint: 'ask an admin for the role',
  });
}

/** What concerns every site (its list, other admins) takes an admin of all. */
export function mustRule(moderator: Moderator): void {
  if (moderator.roles.some((held) => held.site === '*' && held.role === 'admin')) return;
  throw new SluiceError('Session.Forbidden', `${moderator.user} is no admin of every site`, {
    hint: 'ask an admin of all sites',
  });
}
