#pragma once

namespace eta::assertions {

// ggml ends the process where one of its assertions fails (process-wide). From now on it asks here first.
void Install();

// While it lives, an assertion that fails on this thread throws std::runtime_error: for the reading of files and the
// building of graphs, where it means that the file is wrong, and not the program. llama.cpp catches what is thrown
// there, frees what it had, and gives the reason. Not in a computation, in which other threads wait for this one. It
// passes through functions of C, for which GCC and Clang write unwind tables on 64 bits; tried with GCC on Linux x64.
// On Windows, where a compiler may take it for granted that C throws nothing, the process ends as before.
class Thrown {
 public:
  Thrown();
  ~Thrown();
  Thrown(const Thrown&) = delete;
  Thrown& operator=(const Thrown&) = delete;

 private:
  bool previous_;
};

// From here on a computation runs on this thread, up to the end of the Thrown around it.
void BeginComputing();

}  // namespace eta::assertions
