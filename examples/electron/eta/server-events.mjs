/** The stream of a chat completion, chunk by chunk. */

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<any, void>} what stands behind each "data:", up to "[DONE]"
 */
export async function* chunksOf(body) {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const events = rest.split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      if (!event.startsWith('data: ')) continue; // a comment, which keeps the connection alive
      const data = event.slice('data: '.length);
      if (data === '[DONE]') return;
      yield JSON.parse(data);
    }
  }
}
