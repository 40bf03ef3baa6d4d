// Vite configuration. File names contain a hash of the content, so that browsers can cache the files forever.
import { defineConfig } from 'vite';

export default defineConfig({
  // `build.js` gives the page and the base of its files.
  build: {
    target: 'es2022',
    assetsDir: '.',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
