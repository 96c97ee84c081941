/**
 * Requests without ETA, eight at once: ours through the public interface, llama-server with eight slots, which may keep
 * what it read, as ours may. Each turn has copies of the pictures that nobody saw before.
 *
 *     node --import tsx bench/peers/batch-vanilla.ts [--model miniature|160m|1.1b] [--weights q8_0] [--requests 32]
 *                                                    [--tokens 48] [--repeat 5] [--threads N] [--folder DIR]
 */
import { roomFor } from '../../src/batch/index.js';
import { sideBySide } from '../../src/side-by-side.js';
import { openEta, ours, Peer } from './answers.js';
import { changedGallery } from './changed-gallery.js';
import { fasterRow, inTurn, report } from './comparison.js';
import { described, filesOf, settings } from './settings.js';

const AT_ONCE = 8;
const options = settings({ model: 'miniature', tokens: 48, repeat: 5, requests: 32 });
const { tokens, repeat, requests: count, folder } = options;
const files = await filesOf(options);
await using eta = await openEta(files, options, roomFor(AT_ONCE, { maxTokens: tokens, method: 'vanilla' }));
await using peer = await Peer.open(files, options, AT_ONCE);

/** Milliseconds a token of all answers. */
async function all(turn: number, answer: (prompt: string, image: string) => Promise<{ tokenCount: number }>) {
  const requests = await changedGallery(folder, count, turn);
  const startedAt = performance.now();
  const answers = await sideBySide(requests, AT_ONCE, ({ prompt, image }) => answer(prompt, image));
  return (performance.now() - startedAt) / answers.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
}

const times = await inTurn(
  {
    ours: (turn) => all(turn, (prompt, image) => ours(eta, { prompt, image, maxTokens: tokens, method: 'vanilla' })),
    theirs: (turn) => all(turn, (text, image) => peer.answer([{ role: 'user', text, images: [image] }], tokens, true)),
  },
  repeat,
);
report(`${described(options)}; ${count} requests, ${AT_ONCE} at once`, [
  fasterRow({
    what: 'vanilla, eight at once, a token',
    ...times,
    against: 'llama-server -np 8',
    atLeast: 1,
    digits: 2,
  }),
]);
