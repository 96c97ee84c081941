#pragma once

#include <optional>
#include <string>
#include <vector>

// The process that the addon is in: what JavaScript in a worker thread cannot see of it.
namespace eta::host_process {

// Of the process's own environment. A worker thread's process.env is only a copy.
std::optional<std::string> Variable(const std::string& name);
// False where the system takes no such name.
bool SetVariable(const std::string& name, const std::string& value);

struct Onnxruntime {
  std::string path;
  std::string version;
};
// Every one that is loaded, by whom ever.
std::vector<Onnxruntime> LoadedOnnxruntimes();

// Gives pages that nothing lies in any more back to the system: glibc keeps them for allocations to come. Does nothing
// with another C library. May take milliseconds.
void ReturnMemory();

// The process ends with its status, but without the destructors of static objects: for a library whose own would end it
// otherwise. Whoever registered with atexit before is not called either. Does nothing with another C library than
// glibc.
void SkipStaticDestructors();

// Ends it with this code and waits for no thread: for one that is inside a library and may never come out.
[[noreturn]] void End(int code);

}  // namespace eta::host_process
