/**
 * Evaluates the syntax tree of a chat template as Python's Jinja does. The parser, macros and literals are
 * @huggingface/jinja's; tokens, values, operators, filters, tests, methods, loops, scopes and what is printed are in this
 * folder, because version 0.5 prints `true` for True, keeps the sign in -7 % 3, drops what stands before `{% continue %}`.
 */
import { filtered } from './filters.js';
import { NAMESPACE } from './globals.js';
import { LoopExit, loopFacts, unpack, withinLoops } from './loop.js';
import { calledMethod, memberOf } from './members.js';
import { spend } from './meter.js';
import { binary, sliced } from './operators.js';
import { TemplateError } from './template-error.js';
import { passes } from './tests.js';
import { str } from './text.js';
import { type Node, nameOf, node, nodes } from './tree.js';
import {
  callable,
  Environment,
  entriesOf,
  Interpreter,
  integer,
  isCallable,
  isInteger,
  isList,
  isNone,
  isText,
  isTrue,
  isUndefined,
  itemsOf,
  iterated,
  none,
  nothing,
  numberOf,
  text,
  textOf,
  truth,
  tuple,
  typeOf,
  type Value,
} from './values.js';

export class PythonInterpreter extends Interpreter {
  override evaluate(statement: unknown, scope: Environment): Value {
    spend(1);
    const one = statement === undefined ? undefined : node(statement);
    switch (one?.type) {
      case 'Printed':
        return text(str(this.#value(one['value'], scope)));
      case 'Set':
        return this.#set(one, scope);
      case 'If':
        return text(this.#block(isTrue(this.#value(one['test'], scope)) ? one['body'] : one['alternate'], scope));
      case 'For':
        return text(this.#loop(one, scope));
      case 'Break':
      case 'Continue':
        throw new LoopExit(one.type === 'Break');
      case 'Macro':
        return this.#macro(statement, one, scope);
      case 'BinaryExpression':
        return this.#binary(one, scope);
      case 'FilterExpression':
        return this.#filter(node(one['filter']), this.#value(one['operand'], scope), scope);
      case 'FilterStatement': {
        const body = withinLoops('a filter', () => this.#block(one['body'], inner(scope)));
        return this.#filter(node(one['filter']), text(body), scope);
      }
      case 'TestExpression': {
        const isPassed = passes(String(node(one['test'])['value']), this.#value(one['operand'], scope), undefined);
        return truth(isPassed !== one['negate']);
      }
      case 'MemberExpression':
        return this.#member(one, scope);
      case 'CallExpression':
        return this.#call(one, scope);
      case 'Identifier':
        return this.#variable(String(one['value']), scope);
      case 'Known':
        return one['value'] as Value;
      default:
        return super.evaluate(statement, scope);
    }
  }

  #value(expression: unknown, scope: Environment): Value {
    return this.evaluate(expression, scope);
  }

  #variable(name: string, scope: Environment): Value {
    for (let around: Environment | undefined = scope; around !== undefined; around = around.parent) {
      const found = around.variables.get(name);
      if (found === undefined) continue;
      // Each scope of the engine has a function of its own for it.
      if (name === 'namespace' && isCallable(found)) return NAMESPACE;
      return name === 'varargs' && isList(found) ? tuple(itemsOf(found)) : found;
    }
    return nothing();
  }

  #block(statements: unknown, scope: Environment): string {
    let written = '';
    for (const statement of nodes(statements)) {
      try {
        const value = this.#value(statement, scope);
        if (isText(value)) written += textOf(value);
      } catch (error) {
        if (error instanceof LoopExit) error.written = written + error.written;
        throw error;
      }
    }
    return written;
  }

  #set(statement: Node, scope: Environment): Value {
    const target = node(statement['assignee']);
    const value = statement['value']
      ? this.#value(statement['value'], scope)
      : text(withinLoops('a set', () => this.#block(statement['body'], inner(scope))));
    if (target.type !== 'MemberExpression') {
      unpack(target, value, scope);
      return none();
    }
    const holder = this.#value(target['object'], scope);
    const property = node(target['property']);
    if (holder.type !== 'NamespaceValue' || property.type !== 'Identifier' || target['computed'] === true)
      throw new TemplateError('a field is set of a namespace alone');
    (entriesOf(holder) as Map<string, Value>).set(String(property['value']), value);
    return none();
  }

  /** Each round has a scope of its own: what it sets, the next does not see. */
  #loop(loop: Node, outer: Environment): string {
    const source = node(loop['iterable']);
    const isChosen = source.type === 'SelectExpression';
    const target = node(loop['loopvar']);
    const items = iterated(this.#value(isChosen ? source['lhs'] : source, outer)).filter((item) => {
      if (!isChosen) return true;
      const scope = inner(outer);
      unpack(target, item, scope);
      return isTrue(this.#value(source['test'], scope));
    });
    let written = '';
    let isWhole = false;
    for (const [at, item] of items.entries()) {
      const scope = inner(outer);
      scope.setVariable('loop', loopFacts(items, at));
      unpack(target, item, scope);
      try {
        written += this.#block(loop['body'], scope);
        isWhole = true;
      } catch (error) {
        if (!(error instanceof LoopExit)) throw error;
        written += error.written;
        if (error.isBreak) break;
      }
    }
    // Jinja takes a loop none of whose rounds came to its end for an empty one.
    return isWhole ? written : written + this.#block(loop['defaultBlock'], inner(outer));
  }

  /** A macro sees what is around its definition, and not what is around its call. */
  #macro(statement: unknown, macro: Node, scope: Environment): Value {
    const result = super.evaluate(statement, scope);
    const name = String(node(macro['name'])['value']);
    const run = this.#variable(name, scope).value as (args: Value[], scope: Environment) => Value;
    const called = (args: Value[], calling: Environment) => {
      const around = inner(scope);
      const caller = calling.variables.get('caller');
      if (caller !== undefined) around.setVariable('caller', caller);
      return withinLoops('a macro', () => run(args, around));
    };
    scope.setVariable(name, callable(called));
    return result;
  }

  #binary(expression: Node, scope: Environment): Value {
    const operator = String(node(expression['operator'])['value']);
    const left = this.#value(expression['left'], scope);
    if (operator === 'and' || operator === 'or')
      return isTrue(left) === (operator === 'or') ? left : this.#value(expression['right'], scope);
    return binary(operator, left, this.#value(expression['right'], scope));
  }

  #filter(filter: Node, value: Value, scope: Environment): Value {
    const callee = filter.type === 'CallExpression' ? node(filter['callee']) : filter;
    if (callee.type !== 'Identifier') throw new TemplateError('a filter without a name');
    const { args, named } = this.#arguments(filter.type === 'CallExpression' ? filter['args'] : [], scope);
    return filtered(String(callee['value']), value, args, named);
  }

  #call(call: Node, scope: Environment): Value {
    const callee = node(call['callee']);
    if (callee.type === 'MemberExpression' && callee['computed'] !== true) {
      const self = this.#value(callee['object'], scope);
      const method = calledMethod(self, String(node(callee['property'])['value']));
      if (method !== undefined) {
        const { args, named } = this.#arguments(call['args'], scope);
        return method(args, named);
      }
    }
    const called = this.#value(callee, scope);
    if (!isCallable(called)) throw new TemplateError(`'${typeOf(called)}' object is not callable: ${nameOf(callee)}`);
    return super.evaluate({ ...call, callee: { type: 'Known', value: called } }, scope);
  }

  #arguments(given: unknown, scope: Environment): { args: Value[]; named: Map<string, Value> } {
    const args: Value[] = [];
    const named = new Map<string, Value>();
    for (const one of nodes(given)) {
      if (one.type === 'KeywordArgumentExpression') {
        const name = String(node(one['key'])['value']);
        if (named.has(name)) throw new TemplateError(`the argument '${name}' is given twice`);
        named.set(name, this.#value(one['value'], scope));
      } else if (one.type === 'SpreadExpression' || one.type === 'KeywordSpreadExpression')
        throw new TemplateError("'*' before an argument of a filter or a method is not known here");
      else args.push(this.#value(one, scope));
    }
    return { args, named };
  }

  #member(member: Node, scope: Environment): Value {
    const self = this.#value(member['object'], scope);
    const property = node(member['property']);
    if (isUndefined(self)) throw new TemplateError(`${nameOf(node(member['object']))} is undefined`);
    if (property.type === 'SliceExpression') {
      const bounds = [property['start'], property['stop'], property['step']];
      return sliced(
        self,
        bounds.map((bound) => this.#bound(bound, scope)),
      );
    }
    if (member['computed'] === true) return memberOf(self, this.#value(property, scope));
    const said = property['value'];
    return memberOf(self, property.type === 'IntegerLiteral' ? integer(Number(said)) : text(String(said)));
  }

  #bound(bound: unknown, scope: Environment): number | null {
    if (bound === undefined) return null;
    const value = this.#value(bound, scope);
    if (isNone(value)) return null;
    if (isInteger(value)) return numberOf(value);
    throw new TemplateError('slice indices must be integers or None');
  }
}

/** It takes about as long as ten expressions. */
function inner(outer: Environment): Environment {
  spend(10);
  return new Environment(outer);
}
