// Vite configuration. File names contain a hash of the content, so that browsers can cache the files forever.
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/',
  build: {
    target: 'es2022',
    assetsDir: '.',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 8000,
  },
});
