/** The start page: which models, how far they are, and why they are not there. */
/// <reference lib="dom" />

/** @typedef {import('../eta/messages.mjs').State} State @typedef {import('../choices.mjs').Choice} Choice */

/**
 * @typedef {object} Models what the preload script gives
 * @property {() => Promise<{ state: State, choices: Record<string, Choice> }>} choices
 * @property {(name: string, mayFetch: boolean) => Promise<void>} use
 * @property {() => Promise<void>} stop
 * @property {(hear: (state: State) => void) => void} onState
 */
const models = /** @type {{ etaModels: Models }} */ (/** @type {unknown} */ (window)).etaModels;

const PARTS = {
  process: 'Starting',
  download: 'Fetching the files',
  'language-model': 'Loading the language model',
  clip: 'Loading CLIP',
  'reward-model': 'Loading the reward model',
  guard: 'Loading the guard',
};

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new RangeError(`Expected an element ${id}.`);
  return found;
}

/** @param {number} bytes */
const size = (bytes) => (bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(2)} GB`);

/** @param {State} state */
function show(state) {
  const isLoading = state.name === 'loading';
  element('progress').hidden = !isLoading;
  element('choices').hidden = isLoading;
  element('failure').textContent = state.name === 'failed' ? state.failure.message : '';
  if (!isLoading) return;
  const { part, bytes } = state;
  const name = PARTS[/** @type {keyof typeof PARTS} */ (part)] ?? part;
  element('part').textContent = bytes === undefined ? name : `${name}: ${size(bytes.received)} of ${size(bytes.total)}`;
  /** @type {HTMLProgressElement} */ (element('fraction')).value = state.fraction;
}

models.onState(show);
element('stop').addEventListener('click', () => models.stop());

const { state, choices } = await models.choices();
for (const [name, { title, note }] of Object.entries(choices)) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.textContent = title;
  button.addEventListener('click', () => models.use(name, true));
  const text = document.createElement('p');
  text.textContent = note;
  item.append(button, text);
  element('choices').append(item);
}
show(state);
