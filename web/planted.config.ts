// For services/test/mutants: vite.config.ts, but the text of one file is another one's.
import { readFileSync } from 'node:fs';
import { mergeConfig } from 'vite';
import app from './vite.config';

const { PLANTED_IN, PLANTED } = process.env;

export default mergeConfig(app, {
  plugins: [{
    name: 'planted',
    enforce: 'pre',
    load: (id: string) => (PLANTED && id === PLANTED_IN ? readFileSync(PLANTED, 'utf8') : undefined),
  }],
});
