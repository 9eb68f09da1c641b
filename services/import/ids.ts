import { hash } from 'node:crypto';
import type { ImportComment, ImportFormat } from './record.ts';

/** As many comments with neighbouring numbers share the start of their ids. */
const NEIGHBOURS = 64;
const NUMBER = /^\d{1,15}$/;

/**
 * Our id of an imported comment: the same for the same comment of the same export, so that a second import finds it and
 * replies keep their parents in whatever order they come.
 *
 * `imp_` and 132 bits of SHA-256: 26 characters of [A-Za-z0-9_-]. Where the source numbers its comments, their order comes
 * before 108 bits of it: what is written one after another then stands side by side in an index that sorts by id, which a
 * large import would else rewrite all over with every commit. Our own comments keep the id that they have.
 */
export function importId(site: string, format: ImportFormat, sourceId: string): string {
  if (format === 'sluice') return sourceId;
  const digest = hash('sha256', JSON.stringify([site, format, sourceId]), 'base64url');
  if (!NUMBER.test(sourceId)) return `imp_${digest.slice(0, 22)}`;
  const order = Math.floor(Number(sourceId) / NEIGHBOURS).toString(36);
  return `imp_${order.padStart(7, '0')}${digest.slice(0, 18)}`;
}

/** A source id for a comment that has none: the same text by the same name at the same time in the same thread is one. */
export function contentId(comment: Pick<ImportComment, 'thread' | 'author' | 'at' | 'body'>): string {
  const { thread, author, at, body } = comment;
  return `h:${hash('sha256', JSON.stringify([thread.key, author.name, author.email ?? '', at, body]), 'base64url').slice(0, 22)}`;
}

/** 64 bits of a key as two numbers, for tables that hold millions. */
export function hash64(key: string): [high: number, low: number] {
  // cyrb53's mixing, kept to 2 x 32 bits: fast, and nothing here is a secret. https://github.com/bryc/code
  let a = 0xdeadbeef ^ key.length;
  let b = 0x41c6ce57 ^ key.length;
  for (let index = 0; index < key.length; index++) {
    const code = key.charCodeAt(index);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [a >>> 0, b >>> 0];
}
