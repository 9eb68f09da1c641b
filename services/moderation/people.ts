import { TIME_MAX, encodeTime } from 'ulid';
import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import { SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { usersOf, type User } from '../../shared/store/users.ts';
import { takeBack } from '../spam-check/lesson.ts';
import { lessonsOf } from '../spam-check/lessons.ts';
import { audit, readAudit } from './audit-log.ts';
import { Moment } from './comments.ts';
import { undo } from './decide.ts';
import { mustBe, mustRule, type Moderator } from './moderator.ts';
import { verifyPassword } from './password.ts';
import { addUser, setPassword } from './users.ts';

const Roles = z
  .array(z.strictObject({ site: z.union([z.literal('*'), SiteId]), role: z.enum(['moderator', 'admin']) }))
  .max(100);
const Password = z.string().max(1024);
const NewUser = z.strictObject({ name: z.string().max(63), password: Password, roles: Roles });
const ChangeUser = z.strictObject({
  roles: Roles.optional(),
  disabled: z.boolean().optional(),
  password: Password.optional(),
});
const OwnPassword = z.strictObject({ current: Password, next: Password });
const UndoAll = z.strictObject({ site: SiteId, since: Moment, lessonsOnly: z.boolean().optional() });

/** One call takes back at most this many; the answer says whether there is more. */
const UNDO_AT_MOST = 1000;
const MORE_PAGES = 200;

const shown = ({ name, roles, createdAt, disabled }: User) => ({
  name,
  roles,
  createdAt,
  disabled: disabled ?? false,
});
const rules = (roles: User['roles']) => roles.some(({ site, role }) => site === '*' && role === 'admin');

export function peopleRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock, ids } = ports;
  const users = usersOf(table, clock);
  const mustFind = async (name: string): Promise<User> => {
    const user = await users.get(name);
    if (user) return user;
    throw new SluiceError('Request.NotFound', `there is no user "${name.slice(0, 63)}"`, { hint: 'read the list' });
  };
  /** Takes back what somebody taught since a time; how many lessons that were. */
  const forget = async (site: string, by: string, since: number): Promise<number> => {
    let gone = 0;
    await lessonsOf(table, clock).change(site, (weights) => {
      const after = takeBack(weights, by, encodeTime(Math.min(Math.max(0, since), TIME_MAX)), ids.next());
      gone = weights.lessons.length - after.lessons.length;
      return after;
    });
    return gone;
  };
  return [
    {
      method: 'GET',
      path: '/v1/moderation/users',
      summary: 'Who works at the desk',
      access: 'admin',
      responses: { 200: { description: '{users: [{name, roles, createdAt, disabled}]}' } },
      async handle({ caller }) {
        mustRule(caller);
        return { status: 200, body: { users: (await users.list()).map(shown) } };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/users',
      summary: 'Adds somebody',
      access: 'admin',
      body: NewUser,
      responses: { 201: { description: 'The user' } },
      async handle({ caller, body }) {
        mustRule(caller);
        const wanted: z.infer<typeof NewUser> = body;
        await addUser(ports, wanted);
        await audit(ports, { site: '*', by: `user:${caller.user}`, action: 'user-added', about: wanted.name });
        return { status: 201, body: shown(await mustFind(wanted.name)) };
      },
    },
    {
      method: 'PATCH',
      path: '/v1/moderation/users/:name',
      summary: "Changes somebody's roles or password, or shuts them out",
      access: 'admin',
      body: ChangeUser,
      responses: { 200: { description: 'The user' } },
      async handle({ caller, params, body }) {
        mustRule(caller);
        const { roles, disabled, password }: z.infer<typeof ChangeUser> = body;
        const user = await mustFind(params.name ?? '');
        if (user.name === caller.user && (disabled || (roles && !rules(roles)))) {
          throw new SluiceError('Session.Forbidden', 'nobody shuts themselves out', { hint: 'ask another admin' });
        }
        const set = { ...(roles && { roles }), ...(disabled !== undefined && { disabled }) };
        if (Object.keys(set).length > 0 && !(await users.change(user, set))) {
          throw new SluiceError('Store.Busy', `user ${user.name} was changed meanwhile`, { hint: 'try again' });
        }
        if (password !== undefined) await setPassword(ports, user.name, password);
        const what = Object.keys(body).join(', ');
        await audit(ports, {
          site: '*',
          by: `user:${caller.user}`,
          action: 'user-changed',
          about: `${user.name}: ${what}`,
        });
        return { status: 200, body: shown(await mustFind(user.name)) };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/users/:name/undo',
      summary:
        'Takes back all that somebody decided at a site since a time, where nothing happened after, and all that it taught the judge; with lessonsOnly the decisions stand',
      access: 'admin',
      body: UndoAll,
      responses: { 200: { description: '{undone, conflicts, more, lessons}' } },
      async handle({ caller, params, body }) {
        const { site, since, lessonsOnly = false }: z.infer<typeof UndoAll> = body;
        mustBe(caller, 'admin', site);
        const by = `user:${params.name ?? ''}`;
        const lessons = await forget(site, by, since);
        if (lessonsOnly) {
          const about = `${params.name}: ${lessons} lessons`;
          await audit(ports, { site, by: `user:${caller.user}`, action: 'lessons-taken-back', about });
          return { status: 200, body: { undone: 0, conflicts: 0, more: false, lessons } };
        }
        const count = { done: 0, unchanged: 0, conflict: 0, missing: 0 };
        const takenBack = new Set<string>();
        let cursor: string | undefined;
        // Newest first, so that of two decisions about one comment the later goes before the earlier.
        for (let page = 0; page < MORE_PAGES && count.done < UNDO_AT_MOST; page++) {
          const { rows, cursor: next } = await readAudit(table, site, {
            since,
            order: 'descending',
            limit: 200,
            ...(cursor && { cursor }),
          });
          for (const row of rows) {
            if (row.undoes) takenBack.add(row.undoes);
            if (row.by !== by || !row.commentId || row.action === 'undo' || takenBack.has(row.id)) continue;
            const { result } = await undo(ports, caller.user, row.id, (comment) =>
              mustBe(caller, 'admin', comment.site),
            );
            count[result]++;
          }
          cursor = next;
          if (!cursor) break;
        }
        const about = `${params.name}: ${count.done} decisions`;
        await audit(ports, { site, by: `user:${caller.user}`, action: 'undo-all', about });
        const more = cursor !== undefined;
        return { status: 200, body: { undone: count.done, conflicts: count.conflict, more, lessons } };
      },
    },
    {
      method: 'PUT',
      path: '/v1/moderation/password',
      summary: "Changes one's own password, and ends one's sessions",
      access: 'moderator',
      body: OwnPassword,
      responses: { 204: { description: 'Changed' } },
      async handle({ caller, body }) {
        const { current, next }: z.infer<typeof OwnPassword> = body;
        const user = await mustFind(caller.user);
        if (!(await verifyPassword(current, user.password))) {
          throw new SluiceError('Request.Invalid', 'the current password is wrong', {
            hint: 'type the password that you have now',
            fields: [{ pointer: '/current', detail: 'wrong' }],
          });
        }
        await setPassword(ports, caller.user, next);
        return { status: 204 };
      },
    },
  ];
}
