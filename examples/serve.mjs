/** A server on a free port, asked as any program in any language would ask it. */
import { readFileSync } from 'node:fs';
import { loadEta } from 'eta-vlm';
import { listen } from 'eta-vlm/server';

const picture = readFileSync(new URL('../models/miniature/pictures/clean-01.jpg', import.meta.url)).toString('base64');

const eta = await loadEta();
const listening = await listen(eta, { port: 0 });
try {
  const response = await fetch(`${listening.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${picture}` } },
            { type: 'text', text: 'What is in the picture?' },
          ],
        },
      ],
      eta: {},
    }),
  });
  const { choices, error } = await response.json();
  if (!response.ok) throw new Error(error.message);
  console.log(choices[0].message.content);
  console.log(choices[0].eta.verdict.action);
} finally {
  await listening.close();
  await eta.dispose();
}
