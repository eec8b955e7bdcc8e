import { defineConfig } from 'vite';

// Cross-origin isolation lets pages share memory with the worker: Stop is quickest then. The app works without, too.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  // Relative, so that the built app can be put into any folder of a site.
  base: './',
  // Python comes as it is, in public/; this is how new the runtime's own code is.
  build: { target: 'es2022' },
  server: { headers },
  preview: { headers },
});
