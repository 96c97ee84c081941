/** Renders the templates that it is sent, and answers with what came of each. */
import { JinjaTemplate } from '../../src/jinja/index.js';
import { mainThreadMs } from '../stretch.js';

process.once('message', (templates: readonly string[]) => {
  const outcomes = templates.map((template) => {
    const before = mainThreadMs();
    let refusal = 'none';
    try {
      new JinjaTemplate(template).render({ t: true });
    } catch (error) {
      refusal = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    return { refusal, ms: mainThreadMs() - before };
  });
  process.send?.(outcomes);
});
