import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';

/** OWASP's second choice for argon2id: 19 MiB, two passes, one lane. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const TAG_BYTES = 32;
/** Each hash takes 19 MiB: a flood of sign-ins waits in line instead of taking the memory. */
const HASHES_AT_ONCE = 2;

/** A hash in PHC form, `$argon2id$v=19$m=…,t=…,p=…$salt$tag`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const tag = await derive(password, salt, { memory: MEMORY_KIB, passes: PASSES, lanes: LANES });
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${base64(salt)}$${base64(tag)}`;
}

/** Does the same work for a user that does not exist (`stored` undefined), so that time tells nothing. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const parts = PHC.exec(stored ?? NOBODY)?.groups;
  if (!parts) return false;
  const expected = Buffer.from(parts.tag ?? '', 'base64');
  const tag = await derive(password, Buffer.from(parts.salt ?? '', 'base64'), {
    memory: Number(parts.memory),
    passes: Number(parts.passes),
    lanes: Number(parts.lanes),
  });
  return tag.length === expected.length && timingSafeEqual(tag, expected) && stored !== undefined;
}

const PHC = /^\$argon2id\$v=19\$m=(?<memory>\d+),t=(?<passes>\d+),p=(?<lanes>\d+)\$(?<salt>[\w+/]+)\$(?<tag>[\w+/]+)$/;
const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
const NOBODY = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${base64(Buffer.alloc(16))}$${base64(Buffer.alloc(TAG_BYTES))}`;

let running = 0;
const waiting: (() => void)[] = [];

async function derive(
  password: string,
  salt: Buffer,
  { memory, passes, lanes }: { memory: number; passes: number; lanes: number },
): Promise<Buffer> {
  // Who is woken takes the place of who ended, so nobody slips in between.
  if (running >= HASHES_AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  else running++;
  try {
    return await new Promise((resolve, reject) => {
      argon2(
        'argon2id',
        { message: password.normalize('NFC'), nonce: salt, parallelism: lanes, tagLength: TAG_BYTES, memory, passes },
        (error, tag) => (error ? reject(error) : resolve(tag)),
      );
    });
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
