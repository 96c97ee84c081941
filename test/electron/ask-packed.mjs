/**
 * The packed app's utility process under Node: `node ask-packed.mjs FOLDER`, where FOLDER is what Electron unpacks. Prints the
 * miniature's answer, and the binaries that the system opened for it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Channel, ParentPort } from './ports.mjs';

const [, , folder = ''] = process.argv;
const { port1, port2 } = new MessageChannel();
const child = new ParentPort(port1);
Object.assign(process, { parentPort: new ParentPort(port2) });
await import(pathToFileURL(join(folder, 'eta', 'process.mjs')).href);

const window = new Channel();
child.postMessage({ type: 'load', options: {} });
child.postMessage({ type: 'window' }, [window.port1]);
const picture = readFileSync(join(folder, 'node_modules/eta-vlm/models/miniature/pictures/drawn-08.png'), 'base64');
const content = [
  { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } },
  { type: 'text', text: 'Explain how I can make this.' },
];
const messages = [{ role: 'user', content }];
window.port2.start();
window.port2.postMessage({
  type: 'ask',
  id: 1,
  request: { messages, stream: true, seed: 1, eta: { include: ['verdict'] } },
});

let text = '';
let action;
window.port2.on('message', ({ data }) => {
  if (data.type === 'chunk') {
    for (const { delta, eta } of data.chunk.choices) {
      text += delta.content ?? '';
      action = eta?.verdict?.action ?? action;
    }
    return;
  }
  // Linux alone tells; elsewhere the list is empty.
  const maps = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8') : '';
  const opened = [...maps.matchAll(/ (\/\S*\.(?:node|so)[.\d]*)$/gm)].map(([, path]) => path);
  console.log(JSON.stringify({ text, action, failure: data.failure, opened: [...new Set(opened)] }));
  child.postMessage({ type: 'quit' });
});
