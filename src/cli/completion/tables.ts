/** What bash and zsh read alike: tables of commands, and the walk over what was typed. */
import type { CommandShape, Values } from './shape.js';

/** Between single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A function that sets `said` by its arguments, joined by spaces. */
export function table(name: string, entries: readonly (readonly [key: string, said: string])[]): string {
  const keys = new Map<string, string[]>();
  for (const [key, said] of entries) keys.set(said, [...(keys.get(said) ?? []), quoted(key)]);
  const lines = [...keys].map(([said, all]) => `    ${all.join(' | ')}) said=${quoted(said)} ;;`);
  return [`${name}() {`, '  case "$*" in', ...lines, "    *) said='' ;;", '  esac', '}'].join('\n');
}

/** `_eta_vlm_parts COMMAND`, `_eta_vlm_value COMMAND FLAG`, `_eta_vlm_operand COMMAND PLACE`, `_eta_vlm_walk WORD...`. */
export function sharedFunctions(shapes: readonly CommandShape[]): string {
  const parts = shapes
    .filter(({ parts: all }) => all.length > 0)
    .map(({ name, parts: all }) => [name, all.map((part) => part.name).join(' ')] as const);
  const values = shapes.flatMap(({ name, flags }) =>
    flags.flatMap(({ names, values: found }) =>
      found === null ? [] : names.map((flag) => [`${name} ${flag}`, saidOf(found)] as const),
    ),
  );
  const operands = shapes.flatMap(({ name, operands: all }) =>
    all.map((found, place) => [`${name} ${found.isMany ? 'all' : place}`, saidOf(found)] as const),
  );
  return [
    table('_eta_vlm_parts', parts),
    table('_eta_vlm_value', values),
    table('_eta_vlm_operand', operands),
    WALK,
  ].join('\n\n');
}

function saidOf({ kind, words, isMany }: Values): string {
  return [isMany ? 'many' : 'one', kind, ...words].join(' ');
}

/** Sets `command`, the `flag` whose value comes next, and `place`, the number of operands; then `said`: what comes next. */
const WALK = `_eta_vlm_walk() {
  local word
  for word in "$@"; do
    if [[ "$word" == "=" ]]; then continue; fi
    if [[ -n "$flag" && "$word" != -* ]]; then
      _eta_vlm_value "$command" "$flag"
      if [[ "$said" != many* ]]; then flag=''; fi
      continue
    fi
    flag=''
    if [[ "$word" == -?* ]]; then
      _eta_vlm_value "$command" "$word"
      if [[ -n "$said" ]]; then flag="$word"; fi
      continue
    fi
    _eta_vlm_parts "$command"
    if [[ "$place" == 0 && " $said " == *" $word "* ]]; then
      command="\${command:+$command }$word"
    else
      place=$((place + 1))
    fi
  done
  if [[ -n "$flag" ]]; then
    _eta_vlm_value "$command" "$flag"
    return
  fi
  _eta_vlm_operand "$command" "$place"
  if [[ -z "$said" ]]; then _eta_vlm_operand "$command" all; fi
}`;
