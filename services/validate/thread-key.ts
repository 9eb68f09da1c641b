import { SluiceError } from '../../shared/errors.ts';

const MAX_CHARACTERS = 500;

/**
 * The one form of a thread's key: `https://blog.example/Post/index.html?utm=1#c` and `/Post/` are `/Post`, `my-post` is itself.
 *
 * Letter case stays. What can be read is decoded, all else (white space, `%`, `?`, `#`, an encoded `/`) is percent-encoded.
 * Idempotent. Throws `Request.Invalid`.
 *
 * @param listedParams query parameters that tell threads apart, as `?p=12` does; kept in this order
 */
export function normaliseThreadKey(key: string, listedParams: readonly string[] = []): string {
  // Percent-encoding takes up to 9 characters for one; nothing beyond can come down to the limit.
  if (key.length > MAX_CHARACTERS * 9) throw invalid(`The thread's key has ${key.length} characters`);
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001F\u007F-\u009F]|%(?:[01][0-9a-f]|7f)/i.test(key.trim())) {
    throw invalid("The thread's key has a control character");
  }
  if (!key.isWellFormed()) throw invalid("The thread's key has half of a character (a lone surrogate)");
  const trimmed = key.trim();
  const [, address = '', query = ''] = /^([^?#]*)(?:\?([^#]*))?/s.exec(trimmed) ?? [];
  const isUrl = /^https?:\/\/[^/]+/i.exec(address);
  const path = isUrl ? address.slice(isUrl[0].length) || '/' : address;
  let bare = decode(path).replace(/\/{2,}/g, '/');
  // A loop, not a pattern: `a/index.html/` ends in both.
  for (let before = ''; before !== bare;) {
    before = bare;
    bare = bare.replace(/\/$/, '').replace(/(^|\/)index\.html?$/i, '');
  }
  if (bare === '') bare = path.trim() === '' && query === '' && !isUrl ? '' : '/';
  const parameters = listed(query, listedParams);
  const normal = bare + (parameters ? `?${parameters}` : '');
  if (normal === '') throw invalid("The thread's key is empty");
  if (normal.length > MAX_CHARACTERS) throw invalid(`The thread's key has ${normal.length} characters`);
  return normal;
}

function invalid(message: string): SluiceError {
  const hint = `send a slug, a path or the URL of the post, at most ${MAX_CHARACTERS} characters`;
  return new SluiceError('Request.Invalid', message, { hint, fields: [{ pointer: '/thread', detail: hint }] });
}

/** One spelling of a path: what can be read is decoded, what would change the key's meaning or cannot be seen is encoded. */
function decode(text: string): string {
  const parts = text.split(/((?:%[0-9a-f]{2})+)/i).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[%\\\s\p{C}]/gu, encodeURIComponent);
    try {
      return decodeURIComponent(part).replace(/[/?#%\\\s\p{C}]/gu, encodeURIComponent);
    } catch {
      return part.toUpperCase(); // not UTF-8
    }
  });
  // An accent after an encoded character stays apart from its last hexadecimal digit.
  const joined = parts
    .join('')
    .replace(/(%[0-9A-F]{2})(\p{M}+)/gu, (_, code, marks) => code + encodeURIComponent(marks));
  return joined.normalize('NFC');
}

/** The first of each listed parameter. Not by URLSearchParams: Node's garbles `é%e9`. */
function listed(query: string, names: readonly string[]): string {
  if (query === '' || names.length === 0) return '';
  const given = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    const spelled = parameter(name);
    if (!given.has(spelled)) given.set(spelled, parameter(value));
  }
  return names
    .map(parameter)
    .filter((name) => given.has(name))
    .map((name) => `${name}=${given.get(name)}`)
    .join('&');
}

function parameter(text: string): string {
  return decode(text.replaceAll('+', ' ')).replace(/[&=+]/g, encodeURIComponent);
}
