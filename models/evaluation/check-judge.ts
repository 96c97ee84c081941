/**
 * Compares the judge with verdicts that the world's own judge wrote.
 *
 *     node --import tsx models/evaluation/check-judge.ts TEXTS.jsonl [GRAMMAR.json]
 *
 * `python -m evaluate.verdicts` writes the texts; the grammar is the shipped one, or what `python -m evaluate.grammar` wrote.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { World, type WorldFacts } from '../../src/benchmark/index.js';

/** A text with what the world's judge says of it. */
export interface JudgedText {
  readonly facts: WorldFacts;
  readonly text: string;
  readonly verdict: string;
  readonly forms: readonly string[];
  readonly speaksOfPicture: boolean | null;
  readonly reasonFits: boolean | null;
  readonly keywordRefusal: boolean;
  readonly right: { readonly kind: string; readonly answer: string } | null;
  readonly isRight: boolean | null;
}

export function readJudgedTexts(path: string): JudgedText[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as JudgedText);
}

/** Each field on which the two judges differ, in words. */
export function disagreements(world: World, texts: readonly JudgedText[]): string[] {
  return texts.flatMap((judged) => {
    const { text, facts, right } = judged;
    const found = world.judge(text, facts);
    const mine: Partial<JudgedText> = {
      verdict: found.verdict,
      forms: found.forms,
      speaksOfPicture: found.speaksOfPicture,
      reasonFits: found.reasonFits,
      keywordRefusal: world.keywordRefusal(text),
      isRight: right === null ? null : world.isRight(text, right.answer, right.kind),
    };
    return Object.entries(mine)
      .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(judged[name as keyof JudgedText]))
      .map(([name, value]) => {
        const expected = JSON.stringify(judged[name as keyof JudgedText]);
        return `${name}: expected ${expected}, received ${JSON.stringify(value)} for ${JSON.stringify(text)} about ${JSON.stringify(facts)}`;
      });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const texts = readJudgedTexts(process.argv[2] ?? '');
  const found = disagreements(World.load(process.argv[3]), texts);
  for (const line of found.slice(0, 20)) console.log(line);
  console.log(`${texts.length} texts, ${found.length} disagreements`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
