/** Conversations kept in this browser, in IndexedDB; nowhere else. The oldest go when there are too many. */
import { type ConversationSummary, type KeptConversation, summaryOf } from './conversation.svelte.js';
import type { Picture, Refused } from './picture.js';

/** What is typed and not asked yet. */
export interface Draft {
  readonly text: string;
  readonly pictures: readonly Picture[];
  /** Files that were not taken: the question waits until each is replaced, or taken away. */
  readonly refused: readonly Refused[];
  /** Id of the conversation that it follows; a new one is not kept yet. */
  readonly follows?: string;
}

export interface Shelf {
  /** False where the browser keeps nothing: a private window, or no room. */
  readonly isKeeping: boolean;
  /** The newest first. */
  list(): Promise<ConversationSummary[]>;
  read(id: string): Promise<KeptConversation | undefined>;
  write(conversation: KeptConversation): Promise<void>;
  remove(id: string): Promise<void>;
  /** Of conversations and of what is typed. */
  clear(): Promise<void>;
  readDraft(): Promise<Draft | undefined>;
  writeDraft(draft: Draft): Promise<void>;
}

export const MOST_CONVERSATIONS = 50;
/** Characters of all of them, pictures included. */
const MOST_SIZE = 96 * 2 ** 20;

const WHOLE = 'conversations';
const SUMMARIES = 'summaries';
const DRAFT = 'draft';

/** The browser's own, or, where it has none, one that forgets with the page. */
export async function openShelf(): Promise<Shelf> {
  try {
    return new KeptShelf(await openDatabase());
  } catch {
    return new ForgetfulShelf();
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('eta-vlm', 1);
    request.onupgradeneeded = () => {
      for (const store of [WHOLE, SUMMARIES]) request.result.createObjectStore(store, { keyPath: 'id' });
      request.result.createObjectStore(DRAFT);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new DOMException('another version of this page is open', 'InvalidStateError'));
  });
}

function resultOf<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class KeptShelf implements Shelf {
  readonly #database: IDBDatabase;
  isKeeping = true;

  constructor(database: IDBDatabase) {
    this.#database = database;
    database.onversionchange = () => database.close();
  }

  async list(): Promise<ConversationSummary[]> {
    const [summaries] = this.#stores('readonly', SUMMARIES);
    const all = (await resultOf(summaries.getAll())) as ConversationSummary[];
    return all.sort((a, b) => b.changedAt - a.changedAt);
  }

  async read(id: string): Promise<KeptConversation | undefined> {
    const [whole] = this.#stores('readonly', WHOLE);
    return (await resultOf(whole.get(id))) as KeptConversation | undefined;
  }

  async write(conversation: KeptConversation): Promise<void> {
    const summary = summaryOf(conversation);
    const others = (await this.list()).filter(({ id }) => id !== conversation.id);
    const [whole, summaries] = this.#stores('readwrite', WHOLE, SUMMARIES);
    let size = summary.size;
    for (const [at, { id, size: other }] of others.entries()) {
      size += other;
      if (at + 2 <= MOST_CONVERSATIONS && size <= MOST_SIZE) continue;
      whole.delete(id);
      summaries.delete(id);
    }
    whole.put(conversation);
    await resultOf(summaries.put(summary));
  }

  async remove(id: string): Promise<void> {
    const [whole, summaries] = this.#stores('readwrite', WHOLE, SUMMARIES);
    whole.delete(id);
    await resultOf(summaries.delete(id));
  }

  async clear(): Promise<void> {
    const [whole, summaries, draft] = this.#stores('readwrite', WHOLE, SUMMARIES, DRAFT);
    whole.clear();
    summaries.clear();
    await resultOf(draft.clear());
  }

  async readDraft(): Promise<Draft | undefined> {
    const [draft] = this.#stores('readonly', DRAFT);
    return (await resultOf(draft.get(DRAFT))) as Draft | undefined;
  }

  async writeDraft(value: Draft): Promise<void> {
    const [draft] = this.#stores('readwrite', DRAFT);
    await resultOf(draft.put(value, DRAFT));
  }

  #stores<Names extends [string, ...string[]]>(mode: IDBTransactionMode, ...names: Names) {
    const transaction = this.#database.transaction(names, mode);
    return names.map((name) => transaction.objectStore(name)) as { [Key in keyof Names]: IDBObjectStore };
  }
}

class ForgetfulShelf implements Shelf {
  readonly isKeeping = false;
  readonly #kept = new Map<string, KeptConversation>();
  #draft: Draft | undefined;

  async list(): Promise<ConversationSummary[]> {
    return [...this.#kept.values()].map(summaryOf).sort((a, b) => b.changedAt - a.changedAt);
  }

  async read(id: string): Promise<KeptConversation | undefined> {
    return this.#kept.get(id);
  }

  async write(conversation: KeptConversation): Promise<void> {
    this.#kept.set(conversation.id, conversation);
  }

  async remove(id: string): Promise<void> {
    this.#kept.delete(id);
  }

  async clear(): Promise<void> {
    this.#kept.clear();
    this.#draft = undefined;
  }

  async readDraft(): Promise<Draft | undefined> {
    return this.#draft;
  }

  async writeDraft(draft: Draft): Promise<void> {
    this.#draft = draft;
  }
}
