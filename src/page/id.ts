/** Names for what is kept: no two alike. */
const BYTES = 16;

/** 32 hexadecimal digits, drawn. `crypto.randomUUID` is there on safe origins alone, and this page is read on others too. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
