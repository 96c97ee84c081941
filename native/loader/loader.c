// Opens a shared library by its full path, before the addon that needs it is loaded: a library that is in the process
// already is taken by its name, wherever it lies. So libllama and ggml are used where npm put them. Of two libraries of
// one name, such as another version's libggml-base, whoever needs that name gets the first. The library stays until the
// process ends (Node unloads addons when a worker thread ends), and adds no symbols to those that all libraries see.
#include <node_api.h>
#include <stddef.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#define PATH_SIZE 8192
#define REASON_SIZE 64

#ifdef _WIN32
// Why not, or NULL; `reason` has REASON_SIZE bytes for it. Also looks beside the library for those that it needs. A
// handle that is never freed keeps it.
static const char* Open(const char* path, char* reason) {
  wchar_t wide[PATH_SIZE];
  if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, PATH_SIZE) == 0) return "its path is too long";
  if (LoadLibraryExW(wide, NULL, LOAD_WITH_ALTERED_SEARCH_PATH) != NULL) return NULL;
  wsprintfA(reason, "error %lu of Windows", GetLastError());
  return reason;
}
#else
static const char* Open(const char* path, char* own) {
  (void)own;  // dlerror() has one for each thread
  if (dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != NULL) return NULL;
  const char* reason = dlerror();
  return reason == NULL ? "no reason was given" : reason;
}
#endif

// open(path): throws an Error with the system's reason.
static napi_value OpenLibrary(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = NULL;
  char path[PATH_SIZE];
  size_t length = 0;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_value_string_utf8(env, argument, path, sizeof path, &length) != napi_ok || length + 1 >= sizeof path) {
    napi_throw_type_error(env, NULL, "Expected a path");
    return NULL;
  }
  char own[REASON_SIZE];
  const char* reason = Open(path, own);
  if (reason != NULL) napi_throw_error(env, NULL, reason);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value open = NULL;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, OpenLibrary, NULL, &open) == napi_ok) {
    napi_set_named_property(env, exports, "open", open);
  }
  return exports;
}
