/** Stable codes of errors thrown by the addon. */
export type NativeErrorCode =
  | 'INVALID_ARGUMENT' // an argument is missing, of the wrong type or out of range; the message names it
  | 'MODEL_LOAD_FAILED' // the language model cannot be loaded; llama.cpp's own reason is appended
  | 'PROJECTOR_LOAD_FAILED' // the projector cannot be loaded or belongs to another model; reason appended
  | 'CANCELLED' // `cancel()` of a load, an encoding or a tokenizing was called
  | 'TEXT_TOO_LONG' // a text takes more tokens than `maxTokens`
  | 'CONTEXT_FAILED' // the context cannot be made, or found no memory for what a call asks of it
  | 'NO_PROJECTOR' // an image was given to a model without vision
  | 'IMAGE_FAILED' // the image cannot be preprocessed or encoded
  | 'SEQUENCE_LIMIT' // all `sequenceCount` sequences are in use
  | 'UNKNOWN_SEQUENCE' // the id was never created, or has been released
  | 'CACHE_FULL' // the KV cache has no room for what must be decoded
  | 'FORK_UNSUPPORTED' // this model's memory (recurrent, hybrid) cannot be forked or trimmed at this place
  | 'NOTHING_TO_SAMPLE' // generation was asked of a sequence that has no logits (empty, or trimmed)
  | 'DECODE_FAILED' // llama.cpp failed while it computed, or found no memory for it; the sequences stand as before
  | 'STATE_MISMATCH' // saved sequence bytes are truncated or come from another model or context
  | 'OUT_OF_MEMORY' // a device has no memory for what was asked; the message has the figures
  | 'NO_THREADS' // the system gives no more threads; the message has how many were wanted
  | 'DEVICE_FAILED' // a device that a model is to lie on does not open; the message has its driver's words
  | 'DEVICE_LOST' // the device stopped to work under way; everything that was loaded on it is gone
  | 'DISPOSED'; // the object was disposed of
