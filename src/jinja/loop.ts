/** What a loop tells of itself, and how it is left. */
import { TemplateError } from './template-error.js';
import { type Node, nodes } from './tree.js';
import { callable, dict, type Environment, integer, iterated, nothing, truth, type Value } from './values.js';

/** A loop is left, or goes on, in the middle of a block: with what was written until then. */
export class LoopExit extends TemplateError {
  readonly isBreak: boolean;
  written = '';

  constructor(isBreak: boolean) {
    super('break or continue outside of a loop');
    this.isBreak = isBreak;
  }
}

/** What is not a loop's own: Python does not read it. @throws TemplateError for a break or continue that would leave it */
export function withinLoops<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof LoopExit) throw new TemplateError(`break or continue within ${what} is not known here`);
    throw error;
  }
}

const unknown = (name: string) =>
  callable(() => {
    throw new TemplateError(`loop.${name} is not known here`);
  });
const CYCLE = unknown('cycle');
const CHANGED = unknown('changed');

/** The variable `loop` of a round. */
export function loopFacts(items: readonly Value[], at: number): Value {
  const facts = dict(
    new Map([
      ['index', integer(at + 1)],
      ['index0', integer(at)],
      ['revindex', integer(items.length - at)],
      ['revindex0', integer(items.length - at - 1)],
      ['first', truth(at === 0)],
      ['last', truth(at === items.length - 1)],
      ['length', integer(items.length)],
      ['previtem', items[at - 1] ?? nothing()],
      ['nextitem', items[at + 1] ?? nothing()],
      ['depth', integer(1)],
      ['depth0', integer(0)],
      ['cycle', CYCLE],
      ['changed', CHANGED],
    ]),
  );
  facts.type = 'LoopValue';
  return facts;
}

/** Puts a value under a name, or its items under names. */
export function unpack(target: Node, item: Value, scope: Environment): void {
  if (target.type === 'Identifier') {
    scope.setVariable(String(target['value']), item);
    return;
  }
  if (target.type !== 'TupleLiteral') throw new TemplateError('a value goes to a name, or to names');
  const [names, values] = [nodes(target['value']), iterated(item)];
  if (names.length !== values.length)
    throw new TemplateError(`expected ${names.length} values to unpack, received ${values.length}`);
  for (const [at, name] of names.entries()) unpack(name, values[at] as Value, scope);
}
