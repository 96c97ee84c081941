/** The accuracy of VQA and TextVQA: how many of ten people gave this answer, after both are normalised. */

const NUMBERS: Readonly<Record<string, string>> = {
  none: '0',
  zero: '0',
  one: '1',
  two: '2',
  three: '3',
  four: '4',
  five: '5',
  six: '6',
  seven: '7',
  eight: '8',
  nine: '9',
  ten: '10',
};
const ARTICLES = ['a', 'an', 'the'];

/** Marks that are taken out, beside comma and question mark: without a trace where one touches a space, else a space stands in. */
const MARKS = [
  ';',
  '/',
  '[',
  ']',
  '"',
  '{',
  '}',
  '(',
  ')',
  '=',
  '+',
  '\\',
  '_',
  '-',
  '>',
  '<',
  '@',
  '`',
  ',',
  '?',
  '!',
];

/** Contractions as the evaluation knows them; an answer may lack one of their apostrophes. */
const CONTRACTIONS =
  "ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's " +
  "how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock " +
  "oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd " +
  "someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're there's " +
  "they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's " +
  "where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't wouldn't've " +
  "y'all y'all'll y'all'd've you'd you'd've you'll you're you've";

const WITH_APOSTROPHES = new Map(
  CONTRACTIONS.split(' ').flatMap((word) =>
    [...word.matchAll(/'/g)].map(({ index }) => [word.slice(0, index) + word.slice(index + 1), word] as const),
  ),
).set("somebody'd", 'somebodyd'); // an oddity of the evaluation's own

/**
 * An answer as the VQA evaluation compares it (Antol et al. 2015, and its form for TextVQA): lower case, punctuation out,
 * number words as digits, articles out, apostrophes of contractions put back.
 */
export function normalised(answer: string): string {
  const original = answer
    .toLowerCase()
    .replace(/[,?]/g, '')
    .replaceAll("'s", " 's")
    .trim()
    .replace(/[\n\t]/g, ' ')
    .trim();
  let text = original;
  for (const mark of MARKS) {
    const touchesSpace = original.includes(`${mark} `) || original.includes(` ${mark}`);
    text = text.replaceAll(mark, touchesSpace ? '' : ' ');
  }
  text = text.replace(/\.(?!\d)/g, '');
  const words = text.split(/\s+/).filter(Boolean);
  return words
    .map((word) => NUMBERS[word] ?? word)
    .filter((word) => !ARTICLES.includes(word))
    .map((word) => WITH_APOSTROPHES.get(word) ?? word)
    .join(' ');
}

/**
 * The mean, over leaving each person out, of min(1, agreeing others / 3).
 *
 * @param people usually ten answers
 */
export function vqaAccuracy(answer: string, people: readonly string[]): { score: number; said: string } {
  const said = normalised(answer);
  const agreeing = people.filter((one) => normalised(one) === said).length;
  const without = (isOneOfThem: boolean) => Math.min(1, (agreeing - Number(isOneOfThem)) / 3);
  const sum = agreeing * (agreeing > 0 ? without(true) : 0) + (people.length - agreeing) * without(false);
  return { score: people.length === 0 ? 0 : sum / people.length, said };
}
