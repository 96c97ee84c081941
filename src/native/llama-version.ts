/** What everything native here is made for. Tests hold it against native/build, native/js and what is installed. */

/** Its tag: the source of it is compiled, and libraries of it are loaded, no other. */
export const LLAMA_TAG = 'v0.5.0';

/** The release of node-llama-cpp that carries the source and the libraries of this tag. */
export const NODE_LLAMA_CPP_VERSION = '3.22.1';

/** Of src/native/*-types.ts: raised with every change of what the addon offers, here and in native/js/backend.cpp. */
export const BINDING_VERSION = 7;
