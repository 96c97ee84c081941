/** The script for zsh, with descriptions. */
import type { CommandShape } from './shape.js';
import { sharedFunctions, table } from './tables.js';

export function zshScript(shapes: readonly CommandShape[]): string {
  const flags = shapes.map(
    ({ name, flags: all }) =>
      [name, linesOf(all.flatMap((flag) => flag.names.map((one) => ({ ...flag, name: one }))))] as const,
  );
  const parts = shapes.map(({ name, parts: all }) => [name, linesOf(all)] as const);
  return [
    HEAD,
    sharedFunctions(shapes),
    table('_eta_vlm_flags', flags),
    table('_eta_vlm_part_lines', parts),
    COMPLETE,
    '',
  ].join('\n\n');
}

/** A line each, as _describe reads them. */
function linesOf(all: readonly { readonly name: string; readonly description: string }[]): string {
  return all.map(({ name, description }) => `${name}:${description}`).join('\n');
}

const HEAD = `#compdef eta-vlm
# Completion of eta-vlm for zsh, printed by: eta-vlm completion zsh`;

const COMPLETE = `_eta_vlm() {
  local command='' flag='' place=0 said='' current="$words[CURRENT]" IFS=$' \\t\\n'
  local -a found lines taken
  _eta_vlm_walk "\${(@)words[2,CURRENT-1]}"
  if [[ "$current" == --*=* ]]; then
    flag="\${current%%=*}"
    compset -P '*='
    _eta_vlm_value "$command" "$flag"
  elif [[ "$current" == -* ]]; then
    _eta_vlm_flags "$command"
    lines=("\${(@f)said}")
    _describe -o option lines
    return
  fi
  found=("\${(@s: :)said}")
  case "$found[2]" in
    files) _files ;;
    folders) _files -/ ;;
    names) compadd -- "\${(@)found[3,-1]}"; _files ;;
    words) compadd -- "\${(@)found[3,-1]}" ;;
    list)
      lines=("\${(@)found[3,-1]}")
      current="\${current#*=}"
      if [[ "$current" == *,* ]]; then
        taken=("\${(@s:,:)\${current%,*}}")
        lines=("\${(@)lines:|taken}")
      fi
      compset -P '*,'
      compadd -S '' -- "\${(@)lines}"
      ;;
  esac
  if [[ -z "$flag" && "$place" == 0 ]]; then
    _eta_vlm_part_lines "$command"
    if [[ -n "$said" ]]; then
      lines=("\${(@f)said}")
      _describe command lines
    fi
  fi
}

if [[ "$funcstack[1]" == "_eta-vlm" ]]; then
  _eta_vlm "$@"
else
  compdef _eta_vlm eta-vlm
fi`;
