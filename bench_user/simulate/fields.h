/* SPDX-License-Identifier: GPL-2.0-only */
// Reading a JSON object whose fields are known: a wrong one is named, with what would be right.
#ifndef IRQCOST_BENCH_USER_SIMULATE_FIELDS_H
#define IRQCOST_BENCH_USER_SIMULATE_FIELDS_H

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace irqcost::simulate {

using Json = nlohmann::ordered_json;

/**
 * An object of the file. Each reader notes that its field is known; Done() refuses all others.
 * Everything throws UsageError.
 */
class Fields {
 public:
  /** @place: how messages name the object: "FILE" for the whole, "FILE: core" for a part. */
  Fields(const Json& object, std::string place);

  /** Sets `value` where the field is there, and says whether it is. */
  bool Number(const char* key, double& value, double least, double most);
  bool Integer(const char* key, int& value, int least, int most);
  bool Text(const char* key, std::string& value);
  bool Bool(const char* key, bool& value);
  bool Words(const char* key, std::vector<std::string>& value,
             const std::vector<std::string>& allowed);
  bool Word(const char* key, std::string& value, const std::vector<std::string>& allowed);
  /** The field itself, or nullptr. */
  const Json* Find(const char* key);
  /** A part, empty where it is not there. */
  Fields Part(const char* key);
  /** Refuses fields that nothing has asked for. */
  void Done() const;

  [[noreturn]] void Refuse(const std::string& key, const std::string& why) const;
  /** How messages name a field. */
  [[nodiscard]] std::string Place(const std::string& key) const;

 private:
  const Json& object_;
  std::string place_;
  std::vector<std::string> known_;
};

}  // namespace irqcost::simulate

#endif  // IRQCOST_BENCH_USER_SIMULATE_FIELDS_H
