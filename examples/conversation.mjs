/** Several turns, several pictures, and a second request on the same models at the same time. */
import { fileURLToPath } from 'node:url';
import { loadEta } from 'eta-vlm';

/** @param {string} name */
const picture = (name) => fileURLToPath(new URL(`../models/miniature/pictures/${name}`, import.meta.url));

const eta = await loadEta({ refusalText: 'I would rather not.' });
try {
  const [talk, other] = await Promise.all([
    eta.respond({
      turns: [
        { role: 'user', text: 'What is in the picture?', images: [picture('clean-01.jpg')] },
        { role: 'assistant', text: 'I see it.' },
        { role: 'user', text: 'And here?', images: [picture('clean-02.png')] },
      ],
    }),
    eta.respond({ prompt: 'What do you see?', image: picture('clean-01.jpg'), method: 'vanilla' }),
  ]);
  console.log(talk.text);
  console.log(other.text);
} finally {
  await eta.dispose();
}
