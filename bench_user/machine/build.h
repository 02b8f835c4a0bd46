/* SPDX-License-Identifier: GPL-2.0-only */
// Which build of the harness and of the module measured.
#ifndef IRQCOST_BENCH_USER_MACHINE_BUILD_H
#define IRQCOST_BENCH_USER_MACHINE_BUILD_H

#include <optional>
#include <string>

namespace irqcost {

/** The module that is loaded. */
struct ModuleBuild {
  std::optional<std::string> srcversion;  ///< the kernel's hash of its sources, where it made one
  std::optional<std::string> build_id;    ///< the linker's, hexadecimal
};

struct Build {
  std::string compiler;
  std::string flags;                  ///< the compiler's
  std::optional<std::string> sha256;  ///< of the running program's file, hexadecimal
  std::optional<ModuleBuild> module;  ///< nothing where it is not loaded
};

Build FindBuild(const std::string& root = "");

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_BUILD_H
