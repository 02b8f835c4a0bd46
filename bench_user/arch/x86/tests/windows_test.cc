/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace irqcost {
namespace {

// Most copies of `code` one after the other in so many bytes of machine code.
std::size_t Copies(const char* text, std::size_t bytes, const std::string& code) {
  std::size_t most = 0;
  for (std::size_t start = 0; start < bytes; ++start) {
    std::size_t copies = 0;
    while (start + (copies + 1) * code.size() <= bytes &&
           std::memcmp(text + start + copies * code.size(), code.data(), code.size()) == 0)
      ++copies;
    most = std::max(most, copies);
  }
  return most;
}

// Bytes from a window of a row to the next one; the windows of a row lie in order of size.
std::size_t Length(const irqcost_window_fn* windows, int index, const std::string& code) {
  constexpr std::size_t kFrame = 192;  // stamps and fences of the last window, and padding
  if (index + 1 == IRQCOST_NR_WINDOWS) return 128 * code.size() + kFrame;
  return reinterpret_cast<std::uintptr_t>(windows[index + 1]) -
         reinterpret_cast<std::uintptr_t>(windows[index]);
}

// The machine code of each window is so many copies of the row and nothing between them.
TEST(Windows, HoldTheirCopies) {
  const struct {
    const char* key;
    std::string code;
  } rows[] = {
      {"popf", std::string("\x68\x02\x02\x00\x00\x9d", 6)},  // push $0x202; popfq
      {"pushf_pop", "\x9c\x58"},                             // pushfq; pop %rax
      {"dep_imul", "\x48\x0f\xaf\xc3"},                      // imul %rbx, %rax
      {"dep_xor", "\x48\x31\xd8"},                           // xor %rbx, %rax
      {"zero_idiom", "\x31\xc0"},                            // xor %eax, %eax
      {"rdtsc", "\x0f\x31"},
  };
  for (const auto& [key, code] : rows) {
    const irqcost_window_fn* windows = Windows(*FindProbe(key), IRQCOST_RING3);
    ASSERT_NE(windows, nullptr) << key;
    for (int index = 0; index < IRQCOST_NR_WINDOWS; ++index) {
      const std::size_t size = index == 0 ? 1 : std::size_t{2} << index;
      EXPECT_EQ(
          Copies(reinterpret_cast<const char*>(windows[index]), Length(windows, index, code), code),
          size)
          << key << " " << index;
    }
  }
}

// Whether the loop of a window, which begins on one of its cache lines, is this code.
bool LoopIs(irqcost_window_fn window, const std::string& code) {
  const auto* text = reinterpret_cast<const char*>(window);
  return std::memcmp(text + 64, code.data(), code.size()) == 0 ||
         std::memcmp(text + 128, code.data(), code.size()) == 0;
}

// In situ, a window is one copy of the row around its section; its base is the section alone.
TEST(Windows, InSituEncloseTheirSection) {
  const std::string add("\x49\x01\xdb", 3);                // add %rbx, %r11
  const std::string end("\x4c\x89\xf4\x41\xff\xcc", 6);    // mov %r14, %rsp; dec %r12d
  const std::string enter("\x9c\x58"), leave("\x50\x9d");  // pushfq; pop %rax; push %rax; popfq
  for (std::size_t i = 0; i < IRQCOST_NR_SECTIONS; ++i) {
    std::string section;
    for (unsigned cycle = 0; cycle < irqcost_sections[i]; ++cycle) section += add;
    const Probe& row = *FindProbe("pushf_pop_push_popf");
    std::string body = enter;
    body.append(section).append(leave).append(end);
    EXPECT_TRUE(LoopIs(InSituWindows(row, IRQCOST_RING3)[i], body)) << irqcost_sections[i];
    EXPECT_TRUE(LoopIs(SectionWindows()[i], section + end)) << irqcost_sections[i];
  }
}

TEST(Windows, AreThoseThatTheRingMayRun) {
  EXPECT_EQ(Windows(*FindProbe("cli"), IRQCOST_RING3), nullptr);
  EXPECT_NE(Windows(*FindProbe("cli"), IRQCOST_RING0), nullptr);
  EXPECT_EQ(Windows(*FindProbe("spin_lock"), IRQCOST_RING0), nullptr);
  EXPECT_EQ(InSituWindows(*FindProbe("cli_sti"), IRQCOST_RING3), nullptr);
  EXPECT_NE(InSituWindows(*FindProbe("cli_sti"), IRQCOST_RING0), nullptr);
}

}  // namespace
}  // namespace irqcost
