/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/out_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace irqcost {
namespace {

namespace fs = std::filesystem;

class OutFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "irqcost-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string Target() const { return (directory_ / "x.json").string(); }
  [[nodiscard]] std::string Content() const {
    std::stringstream text;
    text << std::ifstream(Target()).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::ptrdiff_t Entries() const {
    return std::distance(fs::directory_iterator(directory_), fs::directory_iterator());
  }

  fs::path directory_;
};

TEST_F(OutFileTest, IsThereWithTheCommit) {
  {
    OutFile out(Target());
    EXPECT_FALSE(fs::exists(Target()));
    out.Commit("new");
  }
  EXPECT_EQ(Content(), "new");
  EXPECT_EQ(Entries(), 1);
}

TEST_F(OutFileTest, LeavesTheOldFileWithoutACommit) {
  std::ofstream(Target()) << "old";
  { const OutFile out(Target()); }
  EXPECT_EQ(Content(), "old");
  EXPECT_EQ(Entries(), 1);
}

TEST_F(OutFileTest, RefusesAPlaceThatIsNotThere) {
  EXPECT_THROW(OutFile((directory_ / "no" / "x.json").string()), std::system_error);
  EXPECT_THROW(OutFile(directory_.string()), std::system_error);
}

TEST_F(OutFileTest, ReportsAFullDisk) {
  OutFile out("/dev/full");
  try {
    out.Commit("text");
    FAIL() << "written";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_space_on_device);
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos);
  }
}

}  // namespace
}  // namespace irqcost
