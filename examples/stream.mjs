/** The answer as it comes, with a time limit. Leaving the loop early would stop the work as well. */
import { fileURLToPath } from 'node:url';
import { AbortError, loadEta } from 'eta-vlm';

const picture = fileURLToPath(new URL('../models/miniature/pictures/clean-01.jpg', import.meta.url));

const eta = await loadEta();
try {
  const request = { image: picture, prompt: 'What is in the picture?' };
  for await (const event of eta.stream(request, { signal: AbortSignal.timeout(60_000) })) {
    if (event.type === 'picture') console.log(`the picture looks ${event.judgement.isUnsafe ? 'unsafe' : 'safe'}`);
    if (event.type === 'text') process.stdout.write(event.text);
    if (event.type === 'done') console.log(`\n${event.result.verdict.action}`);
  }
} catch (error) {
  if (!(error instanceof AbortError)) throw error;
  console.log('\nstopped: it took longer than a minute');
} finally {
  await eta.dispose();
}
