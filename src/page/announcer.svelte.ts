/** What a screen reader says of an answer under way: its beginning, whole sentences at intervals, its end. */
const INTERVAL_MS = 4_000;

/** The end of the last whole sentence. */
const WHOLE = /^[\s\S]*[.!?。！？؟।\n](?=\s|$)/;

export class Announcer {
  /** What the live region holds. */
  said = $state('');
  #spoken = 0;
  #spokeAt = 0;

  say(text: string): void {
    this.said = text;
    this.#spokeAt = Date.now();
  }

  begin(): void {
    this.#spoken = 0;
    this.say('Answering.');
  }

  /** Says what is whole, if the last words are some seconds ago. */
  hear(text: string): void {
    if (Date.now() - this.#spokeAt < INTERVAL_MS) return;
    const whole = WHOLE.exec(text.slice(this.#spoken))?.[0] ?? '';
    if (whole.trim() === '') return;
    this.#spoken += whole.length;
    this.say(whole.trim());
  }

  /** The rest, and what was decided. */
  end(text: string, outcome: string): void {
    this.say(`${text.slice(this.#spoken).trim()} ${outcome}`.trim());
  }
}
