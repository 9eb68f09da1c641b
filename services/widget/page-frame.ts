import { createHash } from 'node:crypto';
import type { PageSpeech } from './page-words.ts';

const CSS = `
:root{color-scheme:light dark;--ink:light-dark(#1d2529,#e4e9ea);--quiet:light-dark(#586369,#9aa7ac);--accent:light-dark(#0b5f78,#7fcbe0);--on-accent:light-dark(#fff,#06242e);--wrong:light-dark(#a3261b,#ff9c8f);--surface:color-mix(in srgb,currentColor 5%,transparent);--line:color-mix(in srgb,currentColor 45%,transparent)}
*{box-sizing:border-box}
body{margin:0 auto;padding:clamp(1.25rem,5vw,3rem) 1.25rem 4rem;max-width:42.5rem;background:light-dark(#fbfaf7,#12181b);color:var(--ink);font:1rem/1.55 system-ui,'Segoe UI',sans-serif;overflow-wrap:anywhere}
h1{margin:0 0 .25rem;font-size:1.625rem;line-height:1.2}
a{color:var(--accent);text-underline-offset:.18em}
.quiet,time{color:var(--quiet);font-size:.875rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin-block:1.25rem;font-size:.9375rem}
p{margin:0}
ol{margin:0;padding:0;list-style:none}
li.comment{margin-block-start:1.75rem;scroll-margin-block:2rem}
li.comment>ol,li.comment>.more{margin-inline-start:1rem;padding-inline-start:1.3rem;border-inline-start:2px solid var(--surface)}
header{display:flex;flex-wrap:wrap;align-items:center;gap:0 .75rem}
header a{color:inherit;text-decoration:none}
header a:hover{text-decoration:underline}
.face{display:grid;place-items:center;width:2rem;height:2rem;border-radius:50%;background:var(--surface)}
.name{font-weight:600}
.staff{background:var(--accent);color:var(--on-accent)}
.badge{padding:0 .6em;border-radius:1em;font-size:.75rem}
.body,.gone,.act{margin-inline-start:2.75rem}
.gone{color:var(--quiet)}
.act{font-size:.875rem}
.body ol{padding-inline-start:2.5em;list-style:decimal}
.body>*{margin:0}
.body>*+*{margin-block-start:.75em}
pre,:not(pre)>code{background:var(--surface);font:.875em/1.5 ui-monospace,monospace}
pre{padding:1em;overflow:auto}
blockquote,.state{padding:.5em 1em;border-inline-start:3px solid var(--line);background:var(--surface)}
.state{margin-block:1.25rem;border-color:var(--accent)}
:target>article{background:color-mix(in srgb,var(--accent) 13%,transparent);box-shadow:0 0 0 .6rem color-mix(in srgb,var(--accent) 13%,transparent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
form{display:grid;gap:1rem;margin-block:2.25rem 0;scroll-margin-block:2rem}
li form{margin-block:1rem 2rem}
label{display:block;font-size:.875rem}
.text label{font-size:1rem;font-weight:600}
input,textarea{font:inherit;color:inherit;background:var(--surface);border:1px solid var(--line);border-radius:.5rem;padding:.5em .75em}
textarea,label>input:not([type]),label>[type=email]{display:block;width:100%;margin-block-start:.3rem}
textarea{font-weight:400;resize:vertical;field-sizing:content;min-height:7.5em;max-height:60vh}
.person{display:flex;flex-wrap:wrap;gap:1rem}
.person>*{flex:1 1 11rem}
[type=checkbox]{margin:0;margin-inline-end:.6em;accent-color:var(--accent)}
[aria-invalid=true]{border-color:var(--wrong)}
.error{color:var(--wrong);font-size:.875rem}
.buttons{display:flex;flex-wrap:wrap;align-items:center;gap:.75rem 1.25rem}
button{font:inherit;padding:.5em 1.1em;border:1px solid var(--line);border-radius:.5rem;background:var(--surface);color:inherit;cursor:pointer}
button.first{font-weight:600;border-color:transparent;background:var(--accent);color:var(--on-accent)}
.preview{padding:.75rem 1rem;border:1px dashed var(--line);border-radius:.5rem}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media (max-width:30em){.body,.gone,.act{margin-inline-start:0}li.comment>ol,li.comment>.more{margin:0;padding-inline-start:.85rem}}
`;

/** Source expression for `style-src`: the page's own style is the only one that may apply. */
export const PAGE_STYLE_HASH = `'sha256-${createHash('sha256').update(CSS).digest('base64')}'`;

/** What to send with each page: nothing runs, nothing is fetched but images that a site's policy lets through. */
export const PAGE_HEADERS = {
  'content-security-policy': `default-src 'none'; style-src ${PAGE_STYLE_HASH}; img-src https: data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  // Told to ourselves alone: without it a browser names no origin with the form, and to others the address may be a secret.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  vary: 'accept-language',
} as const;

/** @param head, body HTML, escaped by the caller */
export function frame(
  { lang, dir }: PageSpeech,
  { title, head = '', body }: Record<'title' | 'body', string> & { head?: string },
): string {
  return `<!doctype html>
<html lang="${lang}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
${head}<style>${CSS}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
