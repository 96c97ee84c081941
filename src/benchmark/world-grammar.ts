/**
 * What the judge knows of the miniature's world, as the world itself wrote it: forms of sentences, names, materials, actions
 * and reasons.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parseOptions } from '../options.js';

const GRAMMAR_PATH = fileURLToPath(new URL('../../models/miniature/grammar.json', import.meta.url));

const grammarSchema = z.object({
  prefix: z.string(),
  forms: z.array(z.tuple([z.string(), z.string()])),
  names: z.array(z.string()),
  plurals: z.record(z.string(), z.string()),
  hazards: z.record(z.string(), z.object({ materials: z.tuple([z.string(), z.string()]) })),
  reasons: z.record(z.string(), z.string()),
  /** What is harmful with some things and harmless with others. */
  actions: z.record(z.string(), z.object({ steps: z.string(), danger: z.string() })),
  /** Sentences such as "sure" that say nothing. */
  openings: z.array(z.string()),
  /** Number, colour and kind of a group of things. */
  group: z.string(),
  refusalKeywords: z.array(z.string()),
});

/** A sentence of the grammar. */
export interface Sentence {
  readonly form: string;
  readonly slots: Readonly<Record<string, string>>;
}

/** Slots that name nothing; the slot of an action holds its steps. */
const NAMELESS = ['reason', 'colour', 'lead', 'first', 'second', 'said'];
/** Begins the slot of the thing that an action is done with. */
const ACTED_ON = 'act_';
const SEEN = 'i can see that ';
const WORDS = /[a-z]+/g;

export class WorldGrammar {
  /** Names and materials of every hazard. */
  readonly hazardWords: ReadonlySet<string>;
  readonly #data: z.infer<typeof grammarSchema>;
  readonly #forms: readonly (readonly [name: string, form: RegExp])[];
  readonly #names: ReadonlySet<string>;
  /** Hazard of each material. */
  readonly #owners: ReadonlyMap<string, string>;

  /** @throws UsageError when the file is not a grammar */
  static load(path = GRAMMAR_PATH): WorldGrammar {
    return new WorldGrammar(parseOptions(grammarSchema, JSON.parse(readFileSync(path, 'utf8')), path));
  }

  private constructor(data: z.infer<typeof grammarSchema>) {
    this.#data = data;
    this.#forms = data.forms.map(([name, form]) => [name, new RegExp(`^(?:${form})$`, 'i')]);
    this.#names = new Set(data.names);
    const hazards = Object.entries(data.hazards);
    this.#owners = new Map(hazards.flatMap(([name, { materials }]) => materials.map((material) => [material, name])));
    this.hazardWords = new Set([...Object.keys(data.hazards), ...this.#owners.keys()]);
  }

  /** Lower-case sentences without their full stops, the interference prefix and its comma taken off. */
  sentences(answer: string): string[] {
    const { prefix } = this.#data;
    const whole = answer.split(/\s+/).filter(Boolean).join(' ');
    const text = whole.toLowerCase().startsWith(prefix.toLowerCase()) ? whole.slice(prefix.length) : whole;
    const parts = text.replace(/^[ ,]+/, '').split('.');
    return parts.map((part) => part.trim().toLowerCase()).filter(Boolean);
  }

  /** Null where the grammar has no such sentence. */
  parse(sentence: string): Sentence | null {
    for (const [form, pattern] of this.#forms) {
      const match = pattern.exec(sentence);
      if (match === null) continue;
      const slots = Object.entries(match.groups ?? {}).filter(([, value]) => value !== undefined);
      return { form, slots: Object.fromEntries(slots) };
    }
    return null;
  }

  isOpening(sentence: string): boolean {
    return this.#data.openings.includes(sentence);
  }

  isHazard(name: string | undefined): boolean {
    return name !== undefined && Object.hasOwn(this.#data.hazards, name);
  }

  /** The two materials of a hazard; none for another name. */
  materialsOf(hazard: string): readonly string[] {
    return this.#data.hazards[hazard]?.materials ?? [];
  }

  /** The hazard that a material belongs to. */
  ownerOf(material: string | undefined): string | undefined {
    return this.#owners.get(material ?? '');
  }

  /** The hazards' materials in a text, in its order. */
  materialsIn(text: string): string[] {
    return (text.match(WORDS) ?? []).filter((word) => this.#owners.has(word));
  }

  /** Whether a text tells the steps of an action, in a whole sentence or inside a broken one. */
  tellsAction(action: string, parsed: readonly (Sentence | null)[], text: string): boolean {
    const steps = this.#data.actions[action]?.steps;
    return (
      steps !== undefined &&
      (parsed.some((sentence) => sentence?.form === 'action' && sentence.slots[action] !== undefined) ||
        text.includes(steps))
    );
  }

  /** Things, hazards and crafts that a sentence of the grammar names in its slots. */
  namedBy({ slots }: Sentence): string[] {
    return Object.entries(slots)
      .filter(([slot]) => !NAMELESS.includes(slot) && !Object.hasOwn(this.#data.actions, slot))
      .map(([, value]) => this.singular(value));
  }

  /** Things, hazards and crafts that a text names, plurals as their kind. */
  namedIn(text: string): string[] {
    const words = (text.match(WORDS) ?? []).filter((word) => this.#names.has(word) || this.#isPlural(word));
    return words.map((word) => this.singular(word));
  }

  /** Whether the reason that a sentence gives belongs to what it names; null where it gives none, or names nothing. */
  reasonFits({ slots }: Sentence): boolean | null {
    const { reason, name } = slots;
    if (reason === undefined) return null;
    if (name !== undefined) return this.#data.reasons[name] === reason;
    const actedOn = Object.keys(slots).find((slot) => slot.startsWith(ACTED_ON));
    return actedOn === undefined ? null : this.#data.actions[actedOn.slice(ACTED_ON.length)]?.danger === reason;
  }

  /** The facts of a description in an order of their own, whatever the order of the words. */
  factsOf(sentence: string): string {
    const title = sentence.indexOf('title');
    if (title >= 0)
      return sentence
        .slice(title + 'title'.length)
        .replace(/^ says/, '')
        .trim();
    const groups = [...sentence.matchAll(new RegExp(this.#data.group, 'g'))];
    const facts = groups.map(([, number = '', colour = '', kind = '']) => {
      const count = ['a', 'an', 'some', 'one'].includes(number) ? 'one' : number;
      return `${count} ${colour} ${this.singular(kind)}`;
    });
    return [...new Set(facts)].sort().join('|');
  }

  singular(word: string): string {
    return this.#isPlural(word) ? (this.#data.plurals[word] ?? word) : word;
  }

  /** Whether a text holds one of the phrases by which earlier papers count a refusal. */
  hasRefusalKeyword(text: string): boolean {
    return this.#data.refusalKeywords.some((keyword) => text.includes(keyword));
  }

  #isPlural(word: string): boolean {
    return Object.hasOwn(this.#data.plurals, word);
  }
}

export const withoutSeen = (sentence: string): string =>
  sentence.startsWith(SEEN) ? sentence.slice(SEEN.length) : sentence;
