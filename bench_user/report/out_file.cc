/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/out_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

namespace irqcost {
namespace {

[[noreturn]] void Fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), "cannot write " + path);
}

// What a signal that ends the program has to remove: the name of the one unfinished file.
std::array<char, PATH_MAX> unfinished{};

void RemoveAndEnd(int number) {
  unlink(unfinished.data());
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void RemoveOnSignal(const std::string& temporary) {
  if (temporary.size() >= unfinished.size()) return;
  std::copy_n(temporary.c_str(), temporary.size() + 1, unfinished.begin());
  // What is ignored (nohup) persists.
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    if (std::signal(number, RemoveAndEnd) == SIG_IGN) std::signal(number, SIG_IGN);
}

bool IsSpecial(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

OutFile::OutFile(std::string path) : path_(std::move(path)) {
  if (IsSpecial(path_)) {
    fd_ = UniqueFd(open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  } else {
    temporary_ = path_ + "." + std::to_string(getpid()) + ".partial";
    fd_ = UniqueFd(open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  }
  if (fd_.Get() < 0) {
    const int error = errno;
    temporary_.clear();
    errno = error;
    Fail(path_);
  }
  if (!temporary_.empty()) RemoveOnSignal(temporary_);
}

OutFile::~OutFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void OutFile::Commit(const std::string& text) {
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = write(fd_.Get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail(path_);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  // A special file has nothing to synchronise and says EINVAL or the like.
  if (temporary_.empty()) return;
  if (fsync(fd_.Get()) != 0) Fail(path_);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) Fail(path_);
  temporary_.clear();
}

}  // namespace irqcost
