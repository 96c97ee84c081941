/** Questions with their pictures, and what was answered. */
import type { EtaResult } from '../../types/result.js';
import type { Turn } from '../../types/turn.js';
import type { Picture } from './picture.js';

/** A question and its answer. */
export interface Exchange {
  readonly question: string;
  readonly pictures: readonly Picture[];
  readonly result: EtaResult;
}

export class Conversation {
  /** Those that go with the next question. */
  attached: readonly Picture[] = [];
  /** The oldest first. */
  exchanges: readonly Exchange[] = [];

  /** What a model reads, with a new question at the end. */
  turnsWith(question: string): Turn[] {
    return [...this.exchanges.flatMap(turnsOf), userTurn(question, this.attached)];
  }

  add(question: string, result: EtaResult): void {
    this.exchanges = [...this.exchanges, { question, pictures: this.attached, result }];
    this.attached = [];
  }

  /** Takes back what came last: pictures that no question went with yet, else question and answer. Null: nothing is there. */
  undo(): 'pictures' | 'exchange' | null {
    if (this.attached.length > 0) {
      this.attached = [];
      return 'pictures';
    }
    if (this.exchanges.length === 0) return null;
    this.exchanges = this.exchanges.slice(0, -1);
    return 'exchange';
  }
}

export function turnsOf({ question, pictures, result }: Exchange): Turn[] {
  return [userTurn(question, pictures), { role: 'assistant', text: result.text }];
}

function userTurn(text: string, pictures: readonly Picture[]): Turn {
  return { role: 'user', text, images: pictures.map(({ image }) => image) };
}
