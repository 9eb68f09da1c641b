import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

const here = import.meta.dirname;

const styles: Plugin = {
  name: 'sluice-styles',
  generateBundle() {
    this.emitFile({
      type: 'asset',
      fileName: 'executions.css',
      source: ['executions.css', 'drawing.css'].map((name) => readFileSync(join(here, name), 'utf8')).join('\n'),
    });
  },
};

/** The pages are made by the server; this is what they load. */
export default defineConfig({
  root: here,
  plugins: [styles],
  build: {
    outDir: join(here, '../../dist/executions'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    rolldownOptions: { input: join(here, 'live.ts'), output: { entryFileNames: 'live.js' } },
  },
});
