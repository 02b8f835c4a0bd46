/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/ring3/fault_guard.h"

#include <cerrno>
#include <system_error>

namespace irqcost {
namespace {

// A handler can only reach what has a fixed place.
struct sigaction previous;
volatile std::uint64_t count;

void OnSegv(int signal, siginfo_t* /*info*/, void* context) {
  if (SkipFaulting(*static_cast<ucontext_t*>(context))) {
    count = count + 1;
    return;
  }
  // Not one of ours. The instruction is executed again and faults again, to whom it belongs.
  sigaction(signal, &previous, nullptr);
}

void Check(int result, const char* what) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

FaultGuard::FaultGuard() {
  struct sigaction action {};
  action.sa_sigaction = OnSegv;
  action.sa_flags = SA_SIGINFO;
  sigset_t segv;
  sigemptyset(&segv);
  sigaddset(&segv, SIGSEGV);
  count = 0;
  Check(sigaction(SIGSEGV, &action, &previous), "sigaction(SIGSEGV)");
  // The kernel kills a process that faults while the signal is blocked.
  if (sigprocmask(SIG_UNBLOCK, &segv, &mask_) != 0) {
    const int error = errno;
    sigaction(SIGSEGV, &previous, nullptr);
    throw std::system_error(error, std::generic_category(), "sigprocmask");
  }
}

FaultGuard::~FaultGuard() {
  sigprocmask(SIG_SETMASK, &mask_, nullptr);
  sigaction(SIGSEGV, &previous, nullptr);
}

std::uint64_t FaultGuard::Count() { return count; }

}  // namespace irqcost
