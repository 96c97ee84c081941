// A Vulkan device that loses itself, or has little memory, when a test says so. Loaded before ggml-vulkan (LD_PRELOAD),
// it stands between it and the driver: everything is the driver's, but for the few functions below. The test and it share
// the file that ETA_VLM_PLANTED_DEVICE names. The few types are those of vulkan_core.h, whose layout is fixed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OUT_OF_DEVICE_MEMORY = -2, INITIALIZATION_FAILED = -3, DEVICE_LOST = -4 };
enum { MEMORY_BUDGET = 1000237000, VULKAN_11_FEATURES = 49, STORAGE_16_BIT_FEATURES = 1000083000 };

typedef int32_t Result;
typedef void *Handle;
typedef void (*Function)(void);

struct control {
  int64_t submits_until_lost;  // written by the test; 0 = never
  int64_t memory_bytes;        // written by the test; 0 = as much as the driver gives
  int64_t submit_count;
  int64_t allocated_bytes;
  int64_t most_allocated_bytes;
  int64_t refused_count;
  int64_t device_count;  // devices opened so far
  int64_t is_lost;       // the one that was opened last
  int64_t opening_ms;    // written by the test: how much longer opening a device takes; below 0 = it fails
  int64_t lacks_16_bit;  // written by the test: 1 = buffers of 16-bit numbers are not among its features
};

struct allocate_info {
  int32_t type;
  const void *next;
  uint64_t size;
  uint32_t memory_type;
};
struct heap {
  uint64_t size;
  uint32_t flags;
};
struct memory_properties {
  uint32_t type_count;
  struct { uint32_t flags, heap; } types[32];
  uint32_t heap_count;
  struct heap heaps[16];
};
struct chain {
  int32_t type;
  struct chain *next;
};
// Of both kinds that tell of 16-bit storage; its first feature is that of storage buffers.
struct features {
  int32_t type;
  struct chain *next;
  uint32_t storage_buffer_16_bit;
};
struct memory_properties2 {
  int32_t type;
  struct chain *next;
  struct memory_properties properties;
};
struct memory_budget {
  int32_t type;
  struct chain *next;
  uint64_t budget[16];
  uint64_t usage[16];
};

static struct control *control;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct { uint64_t memory, size; } blocks[65536];

static Function (*instance_function)(Handle, const char *);
static Function (*device_function)(Handle, const char *);

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("ETA_VLM_PLANTED_DEVICE");
  if (path == NULL) return;
  const int file = open(path, O_RDWR);
  void *shared = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) {
    perror(path);
    abort();
  }
  control = shared;
  memset(control, 0, sizeof *control);  // what a program before this one has left
}

#define REAL(name, handle, type) \
  static __typeof__(type) *real; \
  if (real == NULL) real = (__typeof__(real))device_function(handle, name)

static Handle instance;
static Handle device;  // the one that was opened last

static Result create_device(Handle physical, const void *info, const void *allocator, Handle *out) {
  typedef Result (*type)(Handle, const void *, const void *, Handle *);
  if (control->opening_ms < 0) return INITIALIZATION_FAILED;
  usleep((useconds_t)(1000 * control->opening_ms));
  const Result result = ((type)instance_function(instance, "vkCreateDevice"))(physical, info, allocator, out);
  if (result == 0) {
    device = *out;
    control->device_count++;
    control->is_lost = 0;
  }
  return result;
}

static Result allocate(Handle of, const struct allocate_info *info, const void *allocator, uint64_t *out) {
  REAL("vkAllocateMemory", of, Result(Handle, const struct allocate_info *, const void *, uint64_t *));
  pthread_mutex_lock(&mutex);
  Result result = OUT_OF_DEVICE_MEMORY;
  if (control->memory_bytes != 0 && control->allocated_bytes + (int64_t)info->size > control->memory_bytes) {
    control->refused_count++;
  } else {
    result = real(of, info, allocator, out);
  }
  for (int i = 0; result == 0 && i < 65536; i++) {
    if (blocks[i].memory != 0) continue;
    blocks[i].memory = *out;
    blocks[i].size = info->size;
    control->allocated_bytes += (int64_t)info->size;
    if (control->allocated_bytes > control->most_allocated_bytes) control->most_allocated_bytes = control->allocated_bytes;
    break;
  }
  pthread_mutex_unlock(&mutex);
  return result;
}

static void release(Handle of, uint64_t memory, const void *allocator) {
  REAL("vkFreeMemory", of, void(Handle, uint64_t, const void *));
  pthread_mutex_lock(&mutex);
  for (int i = 0; memory != 0 && i < 65536; i++) {
    if (blocks[i].memory != memory) continue;
    control->allocated_bytes -= (int64_t)blocks[i].size;
    blocks[i].memory = 0;
    break;
  }
  pthread_mutex_unlock(&mutex);
  real(of, memory, allocator);
}

static int is_lost(void) { return control->is_lost != 0; }

static Result submit(Handle queue, uint32_t count, const void *submits, uint64_t fence) {
  REAL("vkQueueSubmit", device, Result(Handle, uint32_t, const void *, uint64_t));
  control->submit_count++;
  if (control->submits_until_lost > 0 && --control->submits_until_lost == 0) control->is_lost = 1;
  return is_lost() ? DEVICE_LOST : real(queue, count, submits, fence);
}

static Result wait_for_fences(Handle of, uint32_t count, const uint64_t *fences, uint32_t all, uint64_t timeout) {
  REAL("vkWaitForFences", of, Result(Handle, uint32_t, const uint64_t *, uint32_t, uint64_t));
  return is_lost() ? DEVICE_LOST : real(of, count, fences, all, timeout);
}

static Result fence_status(Handle of, uint64_t fence) {
  REAL("vkGetFenceStatus", of, Result(Handle, uint64_t));
  return is_lost() ? DEVICE_LOST : real(of, fence);
}

static void memory_properties2(Handle physical, struct memory_properties2 *out) {
  typedef void (*type)(Handle, struct memory_properties2 *);
  static type real;
  if (real == NULL) real = (type)instance_function(instance, "vkGetPhysicalDeviceMemoryProperties2");
  real(physical, out);
  if (control->memory_bytes == 0) return;
  out->properties.heaps[0].size = (uint64_t)control->memory_bytes;
  for (struct chain *link = out->next; link != NULL; link = link->next) {
    if (link->type != MEMORY_BUDGET) continue;
    struct memory_budget *budget = (struct memory_budget *)link;
    budget->budget[0] = (uint64_t)control->memory_bytes;
    const int is_full = control->allocated_bytes > control->memory_bytes;
    budget->usage[0] = (uint64_t)(is_full ? control->memory_bytes : control->allocated_bytes);
  }
}

static Function planted(const char *name, Function real);

static Function planted_device_function(Handle of, const char *name) {
  return planted(name, device_function(of, name));
}

static Function planted(const char *name, Function real) {
  if (control == NULL || real == NULL) return real;
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (Function)planted_device_function;
  if (strcmp(name, "vkCreateDevice") == 0) return (Function)create_device;
  if (strcmp(name, "vkAllocateMemory") == 0) return (Function)allocate;
  if (strcmp(name, "vkFreeMemory") == 0) return (Function)release;
  if (strcmp(name, "vkQueueSubmit") == 0) return (Function)submit;
  if (strcmp(name, "vkWaitForFences") == 0) return (Function)wait_for_fences;
  if (strcmp(name, "vkGetFenceStatus") == 0) return (Function)fence_status;
  if (strcmp(name, "vkGetPhysicalDeviceMemoryProperties2") == 0) return (Function)memory_properties2;
  if (strcmp(name, "vkGetPhysicalDeviceMemoryProperties2KHR") == 0) return (Function)memory_properties2;
  return real;
}

Function vkGetInstanceProcAddr(Handle of, const char *name) {
  if (instance_function == NULL) {
    void *library = dlopen("libvulkan.so.1", RTLD_NOW);
    instance_function = (Function(*)(Handle, const char *))dlsym(library, "vkGetInstanceProcAddr");
    device_function = (Function(*)(Handle, const char *))dlsym(library, "vkGetDeviceProcAddr");
  }
  if (of != NULL) instance = of;
  return planted(name, instance_function(of, name));
}

// ggml-vulkan is linked with this one.
void vkGetPhysicalDeviceFeatures2(Handle physical, struct chain *out) {
  typedef void (*type)(Handle, struct chain *);
  static type real;
  if (real == NULL) real = (type)dlsym(dlopen("libvulkan.so.1", RTLD_NOW), "vkGetPhysicalDeviceFeatures2");
  real(physical, out);
  if (control == NULL || control->lacks_16_bit == 0) return;
  for (struct chain *link = out; link != NULL; link = link->next) {
    if (link->type == VULKAN_11_FEATURES || link->type == STORAGE_16_BIT_FEATURES)
      ((struct features *)link)->storage_buffer_16_bit = 0;
  }
}
