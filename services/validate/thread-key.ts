import { SluiceError } from '../../shared/errors.ts';

const MAX_CHARACTERS = 500;

/**
 * The one form of a thread's key: `https://blog.example/Post/index.html?utm=1#c` and `/Post/` are `/Post`, `my-post` is itself.
 *
 * Letter case stays; percent-encoding is decoded where that changes nothing else (never `/`, `?`, `#`, `%`, `\`, control
 * characters or broken UTF-8, whose hexadecimal digits become capitals). Idempotent. Throws `Request.Invalid`.
 *
 * @param listedParams query parameters that tell threads apart, as `?p=12` does; kept in this order
 */
export function normaliseThreadKey(key: string, listedParams: readonly string[] = []): string {
  // Percent-encoding takes up to 9 characters for one; nothing beyond can come down to the limit.
  if (key.length > MAX_CHARACTERS * 9) throw invalid(`The thread's key has ${key.length} characters`);
  if (!key.isWellFormed()) throw invalid("The thread's key has half of a character (a lone surrogate)");
  const trimmed = key.trim();
  const [, address = '', query = ''] = /^([^?#]*)(?:\?([^#]*))?/s.exec(trimmed) ?? [];
  const isUrl = /^https?:\/\/[^/]+/i.exec(address);
  const path = isUrl ? address.slice(isUrl[0].length) || '/' : address;
  const decoded = decode(path)
    .replace(/\/{2,}/g, '/')
    .replace(/(^|\/)index\.html?$/i, '$1');
  // A loop, not a pattern: `a/index.html/` ends in both.
  let bare = decoded;
  for (let before = ''; before !== bare;) {
    before = bare;
    bare = bare.replace(/\/$/, '').replace(/(^|\/)index\.html?$/i, '');
  }
  if (bare === '') bare = path.trim() === '' && query === '' && !isUrl ? '' : '/';
  const parameters = listed(query, listedParams);
  const normal = bare + (parameters ? `?${parameters}` : '');
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001F\u007F-\u009F]/.test(normal)) throw invalid("The thread's key has a control character");
  if (normal === '') throw invalid("The thread's key is empty");
  if (normal.length > MAX_CHARACTERS) throw invalid(`The thread's key has ${normal.length} characters`);
  return normal;
}

function invalid(message: string): SluiceError {
  const hint = `send a slug, a path or the URL of the post, at most ${MAX_CHARACTERS} characters`;
  return new SluiceError('Request.Invalid', message, { hint, fields: [{ pointer: '/thread', detail: hint }] });
}

/** Decodes runs of percent-encoded bytes that are UTF-8; what would change the key's meaning stays encoded. */
function decode(text: string): string {
  const decoded = text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run).replace(/[/?#%\\\s\p{C}]/gu, encodeURIComponent);
    } catch {
      return run.toUpperCase();
    }
  });
  return decoded.normalize('NFC');
}

function listed(query: string, names: readonly string[]): string {
  if (query === '' || names.length === 0) return '';
  const given = new URLSearchParams(query);
  return names
    .filter((name) => given.has(name))
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(given.get(name)!.normalize('NFC'))}`)
    .join('&');
}
