// The page's names change with their content, so that they can be cached for ever.
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
