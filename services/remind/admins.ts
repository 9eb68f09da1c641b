import type { Users } from '../../shared/store/users.ts';

/** Addresses of a site's admins: a user's name may be one, and there is no other. */
export async function adminAddresses(users: Users, site: string): Promise<readonly string[]> {
  const all = await users.list();
  return all
    .filter(({ name, disabled }) => !disabled && /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(name))
    .filter(({ roles }) => roles.some((role) => role.role === 'admin' && (role.site === '*' || role.site === site)))
    .map(({ name }) => name);
}
