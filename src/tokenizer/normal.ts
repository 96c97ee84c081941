/**
 * A text in the form that a tokenizer.json wants before it is parted into words, as Hugging Face's own library (in Rust) has it:
 * case by character, characters and not halves of them, contents as they are written.
 */
import { compiled, PrecompiledNormalizer } from './library.js';
import { SHOWN_LENGTH } from './pattern-steps.js';
import { expectNotGrown, textPieces } from './text-pieces.js';
import type { NormalizerForm } from './words-form.js';

type Change = (text: string) => string;

/**
 * What it gives throws a RangeError for a text that grows beyond all measure.
 *
 * @throws SyntaxError for a pattern that is none, that is not read here, or that might never end
 */
export function changeOf(form: NormalizerForm): Change {
  const change = uncheckedChangeOf(form);
  return (text) => {
    const changed = change(text);
    expectNotGrown(changed.length);
    return changed;
  };
}

function uncheckedChangeOf(form: NormalizerForm): Change {
  switch (form.type) {
    case 'Sequence': {
      const changes = form.normalizers.map(changeOf);
      return (text) => changes.reduce((changed, change) => change(changed), text);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => text.normalize(form.type);
    case 'Lowercase':
      return lowered;
    case 'StripAccents':
      return (text) => text.replace(/\p{M}/gu, '');
    case 'Strip':
      return (text) => stripped(text, form.strip_left, form.strip_right);
    case 'Prepend':
      return (text) => (text === '' ? text : form.prepend + text);
    case 'Replace': {
      const pattern = compiled(form.pattern);
      const replaced = (piece: string) => piece.replaceAll(pattern, () => form.content);
      return (text) => [...textPieces(text, undefined, SHOWN_LENGTH)].map(replaced).join('');
    }
    case 'BertNormalizer':
      return bert(form);
    case 'Precompiled': {
      const table = new PrecompiledNormalizer(form);
      return (text) => table.normalize(text);
    }
  }
}

/** The last sigma of a word is as any other. */
function lowered(text: string): string {
  return text.includes('Σ') ? Array.from(text, (character) => character.toLowerCase()).join('') : text.toLowerCase();
}

function stripped(text: string, fromLeft: boolean, fromRight: boolean): string {
  const left = fromLeft ? text.replace(/^\p{White_Space}+/u, '') : text;
  return fromRight ? left.slice(0, lengthWithoutEnd(left)) : left;
}

/** By hand: a pattern would look at each stretch of white space anew. */
function lengthWithoutEnd(text: string): number {
  let length = text.length;
  while (length > 0 && /\p{White_Space}/u.test(text.charAt(length - 1))) length--;
  return length;
}

const CHINESE =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;

function bert(form: Extract<NormalizerForm, { type: 'BertNormalizer' }>): Change {
  const stripsAccents = form.strip_accents ?? form.lowercase;
  return (text) => {
    let changed = text;
    if (form.clean_text)
      changed = changed.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/gu, '').replace(/\p{White_Space}/gu, ' ');
    if (form.handle_chinese_chars) changed = changed.replace(CHINESE, ' $& ');
    if (stripsAccents) changed = changed.normalize('NFD').replace(/\p{Mn}/gu, '');
    return form.lowercase ? lowered(changed) : changed;
  };
}
