/* Prints the one of these libraries that ggml would take on this machine: each says itself how well it fits. */
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char** paths) {
  const char* best = NULL;
  int highest = 0; /* 0 says: not on this processor */
  for (int i = 1; i < count; i++) {
    void* library = dlopen(paths[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
      fprintf(stderr, "%s\n", dlerror());
      continue;
    }
    int (*score)(void) = (int (*)(void))dlsym(library, "ggml_backend_score");
    if (score != NULL && score() > highest) {
      highest = score();
      best = paths[i];
    }
  }
  if (best == NULL) return 1;
  puts(best);
  return 0;
}
