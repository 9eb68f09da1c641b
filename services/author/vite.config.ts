import { join } from 'node:path';
import { defineConfig } from 'vite';

const here = import.meta.dirname;

export default defineConfig({
  root: here,
  base: '/author/',
  build: {
    outDir: join(here, '../../dist/author'),
    emptyOutDir: true,
    target: 'es2022',
    // Lets light-dark() through as it is written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Inlined assets would need data: in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
