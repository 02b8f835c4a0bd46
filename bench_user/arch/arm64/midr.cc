/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/arm64/midr.h"

#include <array>
#include <string_view>

namespace irqcost {
namespace {

struct Maker {
  int implementer;
  std::string_view name;
};

struct Core {
  int implementer;
  int part;
  std::string_view name;
};

// Linux, arch/arm64/include/asm/cputype.h. A number that two designs share is not among them.
constexpr auto kMakers = std::to_array<Maker>({
    {0x41, "Arm"},
    {0x42, "Broadcom"},
    {0x43, "Cavium"},
    {0x46, "Fujitsu"},
    {0x48, "HiSilicon"},
    {0x4E, "NVIDIA"},
    {0x50, "APM"},
    {0x51, "Qualcomm"},
    {0x61, "Apple"},
    {0x6D, "Microsoft"},
    {0xC0, "Ampere"},
});
constexpr auto kCores = std::to_array<Core>({
    {0x41, 0xD03, "Cortex-A53"},    {0x41, 0xD04, "Cortex-A35"},   {0x41, 0xD05, "Cortex-A55"},
    {0x41, 0xD07, "Cortex-A57"},    {0x41, 0xD08, "Cortex-A72"},   {0x41, 0xD09, "Cortex-A73"},
    {0x41, 0xD0A, "Cortex-A75"},    {0x41, 0xD0B, "Cortex-A76"},   {0x41, 0xD0C, "Neoverse N1"},
    {0x41, 0xD0D, "Cortex-A77"},    {0x41, 0xD0E, "Cortex-A76AE"}, {0x41, 0xD40, "Neoverse V1"},
    {0x41, 0xD41, "Cortex-A78"},    {0x41, 0xD42, "Cortex-A78AE"}, {0x41, 0xD44, "Cortex-X1"},
    {0x41, 0xD46, "Cortex-A510"},   {0x41, 0xD47, "Cortex-A710"},  {0x41, 0xD48, "Cortex-X2"},
    {0x41, 0xD49, "Neoverse N2"},   {0x41, 0xD4B, "Cortex-A78C"},  {0x41, 0xD4C, "Cortex-X1C"},
    {0x41, 0xD4D, "Cortex-A715"},   {0x41, 0xD4E, "Cortex-X3"},    {0x41, 0xD4F, "Neoverse V2"},
    {0x41, 0xD80, "Cortex-A520"},   {0x41, 0xD81, "Cortex-A720"},  {0x41, 0xD82, "Cortex-X4"},
    {0x41, 0xD83, "Neoverse V3AE"}, {0x41, 0xD84, "Neoverse V3"},  {0x41, 0xD85, "Cortex-X925"},
    {0x41, 0xD87, "Cortex-A725"},   {0x41, 0xD8C, "C1-Ultra"},     {0x41, 0xD8E, "Neoverse N3"},
    {0x41, 0xD90, "C1-Premium"},    {0x42, 0x100, "Brahma-B53"},   {0x42, 0x516, "Vulcan"},
    {0x43, 0x0A1, "ThunderX"},      {0x43, 0x0AF, "ThunderX2"},    {0x46, 0x001, "A64FX"},
    {0x48, 0xD01, "TSV110"},        {0x48, 0xD02, "HIP09"},        {0x4E, 0x003, "Denver"},
    {0x4E, 0x004, "Carmel"},        {0x4E, 0x010, "Olympus"},      {0x50, 0x000, "X-Gene"},
    {0x51, 0xC00, "Falkor"},        {0x51, 0x200, "Kryo"},         {0x61, 0x022, "Icestorm"},
    {0x61, 0x023, "Firestorm"},     {0x61, 0x024, "Icestorm"},     {0x61, 0x025, "Firestorm"},
    {0x61, 0x028, "Icestorm"},      {0x61, 0x029, "Firestorm"},    {0x61, 0x032, "Blizzard"},
    {0x61, 0x033, "Avalanche"},     {0x61, 0x034, "Blizzard"},     {0x61, 0x035, "Avalanche"},
    {0x61, 0x038, "Blizzard"},      {0x61, 0x039, "Avalanche"},    {0xC0, 0xAC3, "AmpereOne"},
    {0xC0, 0xAC4, "AmpereOne A"},   {0x6D, 0xD49, "Cobalt 100"},
});

}  // namespace

Midr ParseMidr(std::uint64_t value) {
  return {static_cast<int>(value >> 24 & 0xff), static_cast<int>(value >> 20 & 0xf),
          static_cast<int>(value >> 4 & 0xfff), static_cast<int>(value & 0xf)};
}

std::optional<std::string> Implementer(const Midr& midr) {
  for (const Maker& maker : kMakers)
    if (maker.implementer == midr.implementer) return std::string(maker.name);
  return std::nullopt;
}

std::optional<std::string> CoreName(const Midr& midr) {
  for (const Core& core : kCores)
    if (core.implementer == midr.implementer && core.part == midr.part)
      return std::string(core.name);
  return std::nullopt;
}

}  // namespace irqcost
