import { createReadStream, readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

// In development vite serves the pages, and passes everything else on to a running
// demo: the one at TANDEM_URL, by default on port 8080. The demo refuses pages that
// it does not know: start it by make demo ARGS="--allow-host localhost:5173".
const demo = process.env.TANDEM_URL ?? 'http://127.0.0.1:8080';
const proxied = ['/session', '/v1', '/viewer/v1', '/rider/v1', '/driver/v1', '/admin/v1'];
const sockets = ['/viewer/socket', '/rider/socket', '/driver/socket', '/admin/socket'];

// The oldest browsers that know light-dark(). For older ones it would be rewritten
// into variables that only a style sheet with a color-scheme of its own sets.
const cssTarget = ['chrome123', 'firefox120', 'safari17.5'];

// The base map is that of this tree, as the style is: the demo may be of another version.
const city: Plugin = {
  name: 'city',
  configureServer: (server) => void server.middlewares.use('/city', (req, res) => {
    const name = /\/map\/([a-z-]+)\.json$/.exec(req.url ?? '')?.[1];
    res.setHeader('Content-Type', 'application/json').setHeader('Content-Encoding', 'gzip');
    createReadStream(`../services/domain/city/data/map/${name}.json.gz`).on('error', () => res.writeHead(404).end()).pipe(res);
  }),
};

// A package without a licence file may have the text in its README.
const licences: Plugin = {
  name: 'licences',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      const list = bundle['licences.txt'];
      if (list?.type !== 'asset') return;
      list.source = String(list.source).replace(/^## (\S+) - .*\n(?=\s*(## |$(?![^])))/gm, (head, name) => {
        const readme = readFileSync(`node_modules/${name}/README.md`, 'utf8');
        return `${head}\n${readme.split(/^## License.*$/m)[1]?.trim() ?? ''}\n`;
      });
    },
  },
};

// MapLibre from its source: src/map/maplibre.ts says why.
const maplibre = (file: string) => new URL(`node_modules/maplibre-gl/src/${file}.ts`, import.meta.url).pathname;

export default defineConfig({
  plugins: [react(), city, licences],
  // The licences of all that is bundled travel with it, as /licences.txt.
  build: { manifest: true, license: { fileName: 'licences.txt' }, target: 'es2022', cssTarget, sourcemap: false, chunkSizeWarningLimit: 1500 },
  // MapLibre's classes declare fields that the class they extend has set: these are no new fields.
  oxc: { typescript: { removeClassFieldsWithoutInitializer: true }, assumptions: { setPublicClassFields: true } },
  resolve: {
    alias: [
      { find: /^maplibre-gl$/, replacement: maplibre('index') },
      { find: 'maplibre-gl/dist/maplibre-gl-worker.mjs', replacement: maplibre('source/worker') },
    ],
  },
  html: { cspNonce: '__CSP_NONCE__' },
  server: {
    fs: { allow: ['..'] }, // the tutorial's text is in docs
    proxy: Object.fromEntries([
      ...proxied.map((p) => [p, { target: demo }]),
      ...sockets.map((p) => [p, { target: demo, ws: true }]),
    ]),
  },
});
