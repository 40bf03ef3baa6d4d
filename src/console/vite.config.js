// The files' names change with their content, so that they can be cached for ever.
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/console/assets/',
  build: {
    target: 'es2022',
    assetsDir: '.',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
