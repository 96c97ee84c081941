/** Chat templates as Python's Jinja renders them, with what transformers gives them. */
import { GLOBALS } from './globals.js';
import { PythonInterpreter } from './interpreter.js';
import { metered } from './meter.js';
import { TemplateError } from './template-error.js';
import { treeOf } from './tree.js';
import { Environment, textOf, toValue } from './values.js';

export class JinjaTemplate {
  readonly #tree: unknown;

  /** @throws TemplateError for a text that is no template, or uses what is not known here */
  constructor(source: string) {
    this.#tree = metered(() => treeOf(source));
  }

  /** @throws TemplateError for what the template raises; what Python would throw; what is not known here; more than it may cost */
  render(variables: Readonly<Record<string, unknown>>): string {
    const globals = new Environment();
    for (const [name, value] of Object.entries(GLOBALS)) globals.setVariable(name, value);
    for (const [name, value] of Object.entries(variables))
      globals.setVariable(
        name,
        metered(() => toValue(value)),
      );
    try {
      return metered(() => textOf(new PythonInterpreter(globals).run(this.#tree)));
    } catch (error) {
      throw refusal(error);
    }
  }
}

/** What the engine refuses in errors of its own; a fault of this folder stays what it is. */
function refusal(error: unknown): unknown {
  if (error instanceof RangeError && error.message.includes('call stack'))
    return new TemplateError('it is nested too deep, or calls itself without end', { cause: error });
  const isEngines = error instanceof Error && ['Error', 'SyntaxError'].includes(error.name);
  return isEngines ? new TemplateError(error.message, { cause: error }) : error;
}
