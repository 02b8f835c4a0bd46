/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/build.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

#include "base/hex.h"
#include "base/sha256.h"
#include "base/text_file.h"

namespace irqcost {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::optional<Bytes> ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  // Each process hashes itself, so byte by byte would be felt. Files of sysfs do not know their
  // size.
  std::ostringstream content;
  content << file.rdbuf();
  if (file.bad()) return std::nullopt;
  const std::string text = content.str();
  return Bytes(text.begin(), text.end());
}

// An ELF note: three words, a name padded to four bytes, and what it tells.
std::optional<std::string> BuildId(const Bytes& note) {
  Elf64_Nhdr header;
  if (note.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, note.data(), sizeof(header));
  const std::size_t start = sizeof(header) + (header.n_namesz + 3ULL) / 4 * 4;
  if (header.n_type != NT_GNU_BUILD_ID || note.size() < start + header.n_descsz)
    return std::nullopt;
  return Hexadecimal({note.data() + start, header.n_descsz});
}

std::optional<ModuleBuild> FindModule(const std::string& root) {
  const std::string directory = root + "/sys/module/irqcost";
  std::error_code missing;
  if (!std::filesystem::is_directory(directory, missing)) return std::nullopt;
  ModuleBuild module{ReadLine(directory + "/srcversion"), {}};
  if (const auto note = ReadBytes(directory + "/notes/.note.gnu.build-id"))
    module.build_id = BuildId(*note);
  return module;
}

}  // namespace

Build FindBuild(const std::string& root) {
  Build build{IRQCOST_COMPILER, IRQCOST_FLAGS, {}, FindModule(root)};
  if (const auto program = ReadBytes("/proc/self/exe")) build.sha256 = Sha256(*program);
  return build;
}

}  // namespace irqcost
