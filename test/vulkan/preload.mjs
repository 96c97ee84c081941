/** Before each program that the tests start: ggml's Vulkan backend, into the addon of the prebuilt route. */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const { ETA_VLM_ADDON: addon, ETA_VLM_TEST_BACKEND: backend } = process.env;
if (isMainThread) createRequire(import.meta.url)(addon).loadBackend(backend);
