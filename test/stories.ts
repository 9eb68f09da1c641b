import type { Comment, Revision } from '../shared/comment.ts';
import { Policy } from '../shared/policy.ts';
import { storeOf } from '../shared/store/comments.ts';
import { contactsOf } from '../shared/store/contacts.ts';
import { sitesOf, type Site } from '../shared/store/sites.ts';
import type { MemoryPorts } from './fakes.ts';

/** One that is published, by Ada, under a post of the site `blog`. */
export const aComment = (set: Partial<Comment> & Pick<Comment, 'id'>): Comment => ({
  site: 'blog',
  thread: '/post',
  parentId: null,
  depth: 0,
  status: 'published',
  version: 1,
  revision: 1,
  publishedRevision: 1,
  pendingRevision: null,
  author: { name: 'Ada', key: 'w-Ada' },
  notifyReplies: false,
  page: { url: 'https://blog.example/post', title: 'A Post' },
  lane: 'lane-00',
  contentHash: '',
  excerpt: '',
  fingerprint: '',
  linkHosts: [],
  lang: 'en',
  submittedAt: 0,
  reports: 0,
  appeals: 0,
  ...set,
});

/** A site, people and comments for tests, put into the store as the pipeline would leave them. */
export function storyOf(ports: MemoryPorts) {
  const contacts = contactsOf(ports.table, ports.vault, ports.clock);
  const sites = sitesOf(ports.table, ports.clock);
  const store = storeOf(ports.table, ports.clock);
  let serial = 0;
  return {
    contacts,
    sites,
    store,

    async site(set: Partial<Site> = {}, policy: Partial<Policy> = {}): Promise<Site> {
      const site: Site = {
        id: 'blog',
        name: 'A Blog',
        origins: ['https://blog.example'],
        threadParams: [],
        authors: [],
        moderatorEmails: [],
        ...set,
      };
      await sites.put(site);
      await sites.putPolicy(site.id, Policy.parse(policy), 0, 'test');
      return site;
    },

    /** A writer with an address, confirmed unless said otherwise. */
    async person(name: string, { confirmed = true, client = '192.0.2.1' } = {}) {
      const email = `${name.toLowerCase()}@people.example`;
      const contact = await contacts.exchange({ email, client });
      const emailHash = contacts.hashOf(email);
      if (confirmed) await contacts.confirm(emailHash, contact);
      return { name, email, contact, emailHash, key: `w-${name}` };
    },

    async comment(set: Partial<Comment> = {}, text: Partial<Revision> = {}): Promise<Comment> {
      const id = set.id ?? `c${String(++serial).padStart(4, '0')}`;
      const now = ports.clock.now();
      const body = text.body ?? 'Some *words*.';
      const comment = aComment({ id, contentHash: id, excerpt: body, submittedAt: now, publishedAt: now, ...set });
      const html = text.html ?? `<p>${body}</p>`;
      await store.create(comment, { commentId: id, revision: 1, body, html, at: now });
      return comment;
    },
  };
}
