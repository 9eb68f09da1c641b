import { createHash } from 'node:crypto';
import type { Reply } from '../../shared/http.ts';
import { escapeHtml } from './render.ts';

const STYLE = `
:root{color-scheme:light dark;--accent:light-dark(#0b5f78,#7fcbe0);--on-accent:light-dark(#fff,#06242e);--line:color-mix(in srgb,currentColor 25%,transparent)}
*{box-sizing:border-box}
body{margin:0;padding:clamp(16px,6vw,64px) 16px;font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;background:light-dark(#fff,#14181b);color:light-dark(#1b2226,#e4e9eb);overflow-wrap:anywhere}
main{max-width:34rem;margin:0 auto}
main.wide{max-width:60rem}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 1rem;text-wrap:balance}
a{color:var(--accent)}
fieldset{border:1px solid var(--line);border-radius:8px;margin:0 0 1rem;padding:.5rem 1rem}
label{display:block;padding:.4rem 0}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
input[type=email]{font:inherit;color:inherit;display:block;width:min(100%,24rem);margin-top:.3rem;padding:.55rem .7rem;border:1px solid var(--line);border-radius:8px;background:transparent}
button{font:inherit;font-weight:600;padding:.6rem 1.2rem;border:0;border-radius:8px;background:var(--accent);color:var(--on-accent);cursor:pointer}
button:focus-visible,a:focus-visible,input:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.quiet{font-size:.9rem;opacity:.8}
ol.mails{list-style:none;margin:0;padding:0}
ol.mails li{border-top:1px solid var(--line);padding:.7rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;font-size:.9rem}
dt{opacity:.75}
dd{margin:0}
dl.long{grid-template-columns:2fr 3fr;gap:1rem 2rem}
@media (max-width:40rem){dl.long{display:block}.long dd{margin-bottom:1rem}}
iframe{width:100%;height:32rem;border:1px solid var(--line);border-radius:8px;background:#fff}
pre{white-space:pre-wrap;border:1px solid var(--line);border-radius:8px;padding:1rem;font-size:.9rem}
`;
const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/**
 * A page without scripts, in the look of the product.
 *
 * @param body HTML, escaped by the caller
 * @param frames styles of mails in frames need `style-src 'unsafe-inline'`: a srcdoc frame inherits this page's policy
 */
export function page(
  status: number,
  {
    title,
    body,
    wide = false,
    frames = false,
    lang = 'en',
    dir = 'ltr',
  }: { title: string; body: string; wide?: boolean; frames?: boolean; lang?: string; dir?: 'ltr' | 'rtl' },
): Reply {
  const style = frames ? "'unsafe-inline'" : STYLE_HASH;
  return {
    status,
    raw: {
      type: 'text/html; charset=utf-8',
      text: `<!doctype html>
<html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main${wide ? ' class="wide"' : ''}><h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>
`,
    },
    headers: {
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src ${style}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
      // The address of these pages is a permission: it must not travel on.
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  };
}
