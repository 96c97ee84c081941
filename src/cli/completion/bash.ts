/** The script for bash, 3.2 included. */
import type { CommandShape } from './shape.js';
import { sharedFunctions, table } from './tables.js';

export function bashScript(shapes: readonly CommandShape[]): string {
  const flags = shapes.map(({ name, flags: all }) => [name, all.flatMap(({ names }) => names).join(' ')] as const);
  return [HEAD, sharedFunctions(shapes), table('_eta_vlm_flags', flags), COMPLETE, ''].join('\n\n');
}

const HEAD = '# Completion of eta-vlm for bash, printed by: eta-vlm completion bash';

/** `=` is a word of its own to bash, a comma is none. */
const COMPLETE = `_eta_vlm_offer() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done
}

_eta_vlm_files() {
  if type compopt > /dev/null 2>&1; then compopt -o filenames 2> /dev/null; fi
  _eta_vlm_offer < <(compgen "$1" -- "$current")
}

_eta_vlm() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command='' flag='' place=0 said='' kind words before left word IFS=$' \\t\\n'
  if [[ "$current" == "=" ]]; then current=''; fi
  _eta_vlm_walk "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  COMPREPLY=()
  if [[ "$current" == -* ]]; then
    _eta_vlm_flags "$command"
    _eta_vlm_offer < <(compgen -W "$said" -- "$current")
    return
  fi
  read -r _ kind words <<< "$said"
  case "$kind" in
    files) _eta_vlm_files -f ;;
    folders) _eta_vlm_files -d ;;
    names)
      _eta_vlm_offer < <(compgen -W "$words" -- "$current")
      _eta_vlm_files -f
      ;;
    words) _eta_vlm_offer < <(compgen -W "$words" -- "$current") ;;
    list)
      before=''
      if [[ "$current" == *,* ]]; then before="\${current%,*},"; fi
      left=''
      for word in $words; do
        if [[ ",$before" != *",$word,"* ]]; then left="$left $word"; fi
      done
      _eta_vlm_offer < <(compgen -P "$before" -W "$left" -- "\${current##*,}")
      ;;
  esac
  if [[ -z "$flag" && "$place" == 0 ]]; then
    _eta_vlm_parts "$command"
    _eta_vlm_offer < <(compgen -W "$said" -- "$current")
  fi
}

complete -F _eta_vlm eta-vlm`;
