/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_REPORT_OUT_FILE_H
#define IRQCOST_BENCH_USER_REPORT_OUT_FILE_H

#include <string>

#include "base/unique_fd.h"

namespace irqcost {

/**
 * A file that is written whole or not at all.
 *
 * It is opened before measuring, so that a wrong path costs no time, under a name
 * of its own beside the target. Until Commit() the target stays as it was. A
 * target that is no regular file (a pipe, a terminal) is written directly.
 * Both functions throw std::system_error with the path.
 */
class OutFile {
 public:
  explicit OutFile(std::string path);
  OutFile(const OutFile&) = delete;
  OutFile& operator=(const OutFile&) = delete;
  ~OutFile();

  /** Writes the text, waits until it is stored and gives the file its name. */
  void Commit(const std::string& text);

 private:
  std::string path_;
  std::string temporary_;  // empty where the target is written directly
  UniqueFd fd_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_REPORT_OUT_FILE_H
