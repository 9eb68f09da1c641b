import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, defineConfig } from 'vite';
import { ENGLISH } from './words.ts';

const here = import.meta.dirname;
const locales = readdirSync(join(here, 'words')).filter((name) => name.endsWith('.json'));

/** What the server hands out as it stands: the other languages, and the demo post. */
const files: Plugin = {
  name: 'sluice-files',
  generateBundle() {
    for (const name of locales) {
      const words: object = JSON.parse(readFileSync(join(here, 'words', name), 'utf8'));
      // Without what the pages alone say.
      const own = Object.fromEntries(Object.entries(words).filter(([key]) => key in ENGLISH));
      this.emitFile({ type: 'asset', fileName: `embed/${name}`, source: JSON.stringify(own) });
    }
    this.emitFile({ type: 'asset', fileName: 'demo.html', source: readFileSync(join(here, 'demo.html'), 'utf8') });
  },
};

export default defineConfig({
  root: here,
  define: { LANGUAGES: JSON.stringify(['en', ...locales.map((name) => name.replace('.json', ''))].join(' ')) },
  plugins: [files],
  build: {
    outDir: join(here, '../../dist'),
    emptyOutDir: false,
    target: 'es2022',
    // Lets light-dark() through as it is written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    lib: { entry: join(here, 'embed.ts'), formats: ['iife'], name: 'sluice', fileName: () => 'embed.js' },
  },
});
