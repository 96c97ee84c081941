/** Which llama.cpp everything native here is made for. A test holds both against native/build and what is installed. */

/** Its tag: the source of it is compiled, and libraries of it are loaded, no other. */
export const LLAMA_TAG = 'v0.5.0';

/** The release of node-llama-cpp that carries the source and the libraries of this tag. */
export const NODE_LLAMA_CPP_VERSION = '3.22.1';
