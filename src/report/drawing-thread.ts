/** Draws what the main thread asks for. The only file that imports vega: its loading and each drawing take long. */
import { parentPort } from 'node:worker_threads';
import * as vega from 'vega';
import { compile } from 'vega-lite';
import type { Drawing, Drawn } from './drawing.js';

parentPort?.on('message', async ({ id, spec }: Drawing) => {
  parentPort?.postMessage(
    await svgOf(spec).then(
      (svg): Drawn => ({ id, svg }),
      (error: unknown): Drawn => ({ id, error }),
    ),
  );
});

async function svgOf(spec: Drawing['spec']): Promise<string> {
  // A specification made here from strings and numbers: its own type would be checked by vega-lite anew anyway.
  const { spec: compiled } = compile(spec as unknown as Parameters<typeof compile>[0], {
    logger: vega.logger(vega.Error),
  });
  const view = new vega.View(vega.parse(compiled as vega.Spec), { renderer: 'none', logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
