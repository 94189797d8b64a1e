import { defineConfig } from 'vite';

/** Where `npm run dev` finds the API: the mock by default, or a running server. */
const api = process.env['HUOYAN_API'] ?? 'http://127.0.0.1:8132';

const pages = ['office', 'wall', 'ranger', 'ops', 'counties', 'registers'];

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    // Rangers keep phones for years: Chrome 80 is early 2020.
    target: 'chrome80',
    modulePreload: { polyfill: false },
    // The service worker's build reads it to know what the ranger page needs.
    manifest: true,
    assetsInlineLimit: 0,
    rollupOptions: { input: pages.map((page) => `${page}.html`) },
  },
  server: {
    port: 8133,
    proxy: { '/api': api, '/login': api },
  },
  test: { include: ['test/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
