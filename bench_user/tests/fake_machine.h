/* SPDX-License-Identifier: GPL-2.0-only */
// A root directory with the files of an invented machine.
#ifndef IRQCOST_BENCH_USER_TESTS_FAKE_MACHINE_H
#define IRQCOST_BENCH_USER_TESTS_FAKE_MACHINE_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace irqcost {

class FakeMachine {
 public:
  FakeMachine() {
    std::string name = (std::filesystem::temp_directory_path() / "irqcost-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
    root_ = name;
  }
  ~FakeMachine() { std::filesystem::remove_all(root_); }
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;

  /** @path without the leading slash. */
  void Write(const std::string& path, const std::string& content) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << content;
  }

  [[nodiscard]] std::string Root() const { return root_.string(); }

 private:
  std::filesystem::path root_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_TESTS_FAKE_MACHINE_H
