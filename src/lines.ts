/** The lines of a text, each made when it is asked for. */
export function* linesOf(text: string): Generator<string, void> {
  let from = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
    yield text.slice(from, at);
    from = at + 1;
  }
  yield text.slice(from);
}
