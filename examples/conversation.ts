/** Several turns, several pictures, and a second request on the same models at the same time. */
import { fileURLToPath } from 'node:url';
import { loadEta } from '../src/index.js'; // 'eta-vlm' in your project

const picture = (name: string) => fileURLToPath(new URL(`../models/miniature/pictures/${name}`, import.meta.url));

await using eta = await loadEta({ refusalText: 'I would rather not.' });
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
