// Static files for the gateway, which serves them under /console/ with a strict policy: no inline
// script or style, nothing evaluated, every asset named by its hash.
import { defineConfig } from 'vite';

const GATEWAY = process.env.HOLDLINE_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/console/',
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': { target: GATEWAY, ws: true } } },
});
