/**
 * The bridge between the sandboxed page and the models: `window.etaVlm` for the page, as eta-vlm's page expects it, and
 * `window.etaModels` for the app's own start page. A sandboxed preload script is one CommonJS file.
 */
const { contextBridge, ipcRenderer } = require('electron');

/** @typedef {import('./eta/messages.mjs').Call} Call @typedef {import('./eta/messages.mjs').Reply} Reply */

const ENDED = {
  name: 'Error',
  code: 'ERR_ENDED',
  message: 'The process of the models ended, and starts again. Ask again.',
};

/** @type {MessagePort | null} */
let port = null;
/** Calls that wait for the port. @type {Call[]} */
const early = [];
/** Who hears of each call. @type {Map<number, (reply: Reply) => void>} */
const listeners = new Map();
let lastId = 0;

// The main process hands one over when it is asked, and again with every process of the models that it starts.
ipcRenderer.on('eta-port', ({ ports }) => {
  port?.close();
  for (const [id, hear] of listeners)
    if (!early.some((call) => call.id === id)) hear({ type: 'failure', id, failure: ENDED });
  port = ports[0] ?? null;
  if (port === null) return;
  port.onmessage = ({ data }) => listeners.get(data.id)?.(data);
  for (const call of early.splice(0)) port.postMessage(call);
});

ipcRenderer.send('eta-hello');

/** @param {Call} call */
function send(call) {
  if (port === null) early.push(call);
  else port.postMessage(call);
}

/** @param {(id: number) => Call} callOf @param {(reply: Reply) => void} hear @returns {number} */
function begin(callOf, hear) {
  const id = ++lastId;
  listeners.set(id, (reply) => {
    if (reply.type !== 'chunk') listeners.delete(id);
    hear(reply);
  });
  send(callOf(id));
  return id;
}

/** @param {'facts' | 'gallery'} type */
function look(type) {
  return new Promise((resolve) => {
    begin(
      (id) => ({ type, id }),
      (reply) => {
        if (reply.type === 'value') resolve({ value: reply.value });
        if (reply.type === 'failure') resolve({ failure: reply.failure });
      },
    );
  });
}

/**
 * @param {object} request
 * @param {(message: { type: 'chunk', chunk: object } | { type: 'end' } | { type: 'failure', failure: object }) => void} hear
 */
function ask(request, hear) {
  const id = begin(
    (id) => ({ type: 'ask', id, request }),
    (reply) => {
      if (reply.type === 'chunk') {
        hear({ type: 'chunk', chunk: reply.chunk });
        send({ type: 'more', id: reply.id }); // the page has it: one more may come
      } else if (reply.type === 'end') hear({ type: 'end' });
      else if (reply.type === 'failure') hear({ type: 'failure', failure: reply.failure });
    },
  );
  return () => {
    if (listeners.delete(id)) send({ type: 'stop', id });
  };
}

contextBridge.exposeInMainWorld('etaVlm', { ask, facts: () => look('facts'), gallery: () => look('gallery') });

contextBridge.exposeInMainWorld('etaModels', {
  choices: () => ipcRenderer.invoke('models:choices'),
  /** @param {string} name @param {boolean} mayFetch */
  use: (name, mayFetch) => ipcRenderer.invoke('models:use', name, mayFetch),
  stop: () => ipcRenderer.invoke('models:stop'),
  /** @param {(state: import('./eta/messages.mjs').State) => void} hear */
  onState: (hear) => ipcRenderer.on('models:state', (_event, state) => hear(state)),
});
