/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/microarchitecture.h"

#include <array>

namespace irqcost {
namespace {

struct Range {
  int family;
  int first_model;
  int last_model;
  std::string_view name;
};

// Linux, arch/x86/include/asm/intel-family.h.
constexpr auto kIntel = std::to_array<Range>({
    {6, 0x0F, 0x0F, "Merom"},           {6, 0x16, 0x16, "Merom"},
    {6, 0x17, 0x17, "Penryn"},          {6, 0x1D, 0x1D, "Penryn"},
    {6, 0x1A, 0x1A, "Nehalem"},         {6, 0x1E, 0x1F, "Nehalem"},
    {6, 0x2E, 0x2E, "Nehalem"},         {6, 0x25, 0x25, "Westmere"},
    {6, 0x2C, 0x2C, "Westmere"},        {6, 0x2F, 0x2F, "Westmere"},
    {6, 0x2A, 0x2A, "Sandy Bridge"},    {6, 0x2D, 0x2D, "Sandy Bridge"},
    {6, 0x3A, 0x3A, "Ivy Bridge"},      {6, 0x3E, 0x3E, "Ivy Bridge"},
    {6, 0x3C, 0x3C, "Haswell"},         {6, 0x3F, 0x3F, "Haswell"},
    {6, 0x45, 0x46, "Haswell"},         {6, 0x3D, 0x3D, "Broadwell"},
    {6, 0x47, 0x47, "Broadwell"},       {6, 0x4F, 0x4F, "Broadwell"},
    {6, 0x56, 0x56, "Broadwell"},       {6, 0x4E, 0x4E, "Skylake"},
    {6, 0x5E, 0x5E, "Skylake"},         {6, 0x55, 0x55, "Skylake-X"},
    {6, 0x8E, 0x8E, "Kaby Lake"},       {6, 0x9E, 0x9E, "Kaby Lake"},
    {6, 0xA5, 0xA6, "Comet Lake"},      {6, 0x66, 0x66, "Cannon Lake"},
    {6, 0x6A, 0x6A, "Ice Lake"},        {6, 0x6C, 0x6C, "Ice Lake"},
    {6, 0x7D, 0x7E, "Ice Lake"},        {6, 0xA7, 0xA7, "Rocket Lake"},
    {6, 0x8C, 0x8D, "Tiger Lake"},      {6, 0x8F, 0x8F, "Golden Cove"},
    {6, 0xCF, 0xCF, "Raptor Cove"},     {6, 0xAD, 0xAE, "Redwood Cove"},
    {6, 0xAF, 0xAF, "Crestmont"},       {6, 0x1C, 0x1C, "Bonnell"},
    {6, 0x37, 0x37, "Silvermont"},      {6, 0x4D, 0x4D, "Silvermont"},
    {6, 0x4C, 0x4C, "Airmont"},         {6, 0x5C, 0x5C, "Goldmont"},
    {6, 0x5F, 0x5F, "Goldmont"},        {6, 0x7A, 0x7A, "Goldmont Plus"},
    {6, 0x86, 0x86, "Tremont"},         {6, 0x96, 0x96, "Tremont"},
    {6, 0x9C, 0x9C, "Tremont"},         {6, 0xBE, 0xBE, "Gracemont"},
    {6, 0x57, 0x57, "Knights Landing"},
});

struct Hybrid {
  int model;
  std::string_view performance;
  std::string_view efficiency;
};

// Family 6; the same header, whose comments name both kinds of core. What Linux calls Enhanced
// Gracemont is Gracemont with a larger cache.
constexpr auto kHybrid = std::to_array<Hybrid>({
    {0x8A, "Sunny Cove", "Tremont"},      // Lakefield
    {0x97, "Golden Cove", "Gracemont"},   // Alder Lake
    {0x9A, "Golden Cove", "Gracemont"},   // Alder Lake
    {0xB7, "Raptor Cove", "Gracemont"},   // Raptor Lake
    {0xBA, "Raptor Cove", "Gracemont"},   // Raptor Lake
    {0xBF, "Raptor Cove", "Gracemont"},   // Raptor Lake
    {0xAA, "Redwood Cove", "Crestmont"},  // Meteor Lake
    {0xAC, "Redwood Cove", "Crestmont"},  // Meteor Lake
    {0xC5, "Lion Cove", "Skymont"},       // Arrow Lake
    {0xC6, "Lion Cove", "Skymont"},       // Arrow Lake
    {0xBD, "Lion Cove", "Skymont"},       // Lunar Lake
});

// Linux, arch/x86/kernel/cpu/amd.c: what it takes for Zen 1 to Zen 5, and before.
constexpr auto kAmd = std::to_array<Range>({
    {0x0F, 0x00, 0xFF, "K8"},         {0x10, 0x00, 0x0F, "K10"},
    {0x14, 0x00, 0x0F, "Bobcat"},     {0x15, 0x00, 0x01, "Bulldozer"},
    {0x15, 0x02, 0x1F, "Piledriver"}, {0x15, 0x30, 0x3F, "Steamroller"},
    {0x15, 0x60, 0x7F, "Excavator"},  {0x16, 0x00, 0x0F, "Jaguar"},
    {0x17, 0x00, 0x2F, "Zen"},        {0x17, 0x50, 0x5F, "Zen"},
    {0x17, 0x30, 0x4F, "Zen 2"},      {0x17, 0x60, 0x7F, "Zen 2"},
    {0x17, 0x90, 0x91, "Zen 2"},      {0x17, 0xA0, 0xAF, "Zen 2"},
    {0x19, 0x00, 0x0F, "Zen 3"},      {0x19, 0x20, 0x5F, "Zen 3"},
    {0x19, 0x10, 0x1F, "Zen 4"},      {0x19, 0x60, 0xAF, "Zen 4"},
    {0x1A, 0x00, 0x2F, "Zen 5"},      {0x1A, 0x40, 0x4F, "Zen 5"},
    {0x1A, 0x60, 0x7F, "Zen 5"},
});

template <std::size_t n>
std::optional<std::string> Find(const std::array<Range, n>& table, int family, int model) {
  for (const Range& range : table)
    if (range.family == family && model >= range.first_model && model <= range.last_model)
      return std::string(range.name);
  return std::nullopt;
}

std::optional<std::string> FindHybrid(int model, std::string_view core_type) {
  for (const Hybrid& cpu : kHybrid) {
    if (cpu.model != model) continue;
    if (core_type == "performance") return std::string(cpu.performance);
    if (core_type == "efficiency") return std::string(cpu.efficiency);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> Microarchitecture(std::string_view vendor, int family, int model,
                                             std::string_view core_type) {
  if (vendor == "GenuineIntel") {
    if (family == 6 && !core_type.empty()) return FindHybrid(model, core_type);
    return Find(kIntel, family, model);
  }
  if (vendor == "AuthenticAMD") return Find(kAmd, family, model);
  return std::nullopt;
}

}  // namespace irqcost
