/**
 * The hub of the tests as a program, for clients of others: `node --import tsx test/hub/serve.ts`, then HF_ENDPOINT as it
 * prints. It has acme/tiny, the miniature's language model and projector, and acme/small, of a few bytes.
 */
import { readFileSync } from 'node:fs';
import { SMALL } from './repos.js';
import { TestHub } from './server.js';

const miniature = new URL('../../models/miniature/', import.meta.url);
const hub = await TestHub.start();
hub.add('acme/small', SMALL);
hub.add('acme/tiny', {
  files: {
    'tiny-Q4_K_M.gguf': readFileSync(new URL('language-model.gguf', miniature)),
    'mmproj-tiny-f16.gguf': readFileSync(new URL('projector.gguf', miniature)),
  },
  licence: 'mit',
});
console.log(`HF_ENDPOINT=${hub.endpoint}`);
