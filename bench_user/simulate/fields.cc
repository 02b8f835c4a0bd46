/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/fields.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/usage_error.h"

namespace irqcost::simulate {
namespace {

const Json kEmpty = Json::object();

std::string Joined(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

std::string Range(double least, double most) {
  std::ostringstream text;
  text << "must be a number from " << least << " to " << most;
  return text.str();
}

}  // namespace

Fields::Fields(const Json& object, std::string place) : object_(object), place_(std::move(place)) {
  if (!object.is_object()) throw UsageError(place_ + ": must be a JSON object");
}

bool Fields::Number(const char* key, double& value, double least, double most) {
  const Json* field = Find(key);
  if (!field) return false;
  // A file of JSON has neither infinity nor NaN, so that a range is all there is to check.
  if (!field->is_number()) Refuse(key, Range(least, most));
  const auto number = field->get<double>();
  if (!(number >= least && number <= most)) Refuse(key, Range(least, most));
  value = number;
  return true;
}

bool Fields::Integer(const char* key, int& value, int least, int most) {
  double number = value;
  if (!Number(key, number, least, most)) return false;
  value = static_cast<int>(number);
  if (value != number) Refuse(key, "must be a whole number");
  return true;
}

bool Fields::Text(const char* key, std::string& value) {
  const Json* field = Find(key);
  if (!field) return false;
  if (!field->is_string() || field->get_ref<const std::string&>().empty())
    Refuse(key, "must be a text that is not empty");
  value = field->get<std::string>();
  return true;
}

bool Fields::Bool(const char* key, bool& value) {
  const Json* field = Find(key);
  if (!field) return false;
  if (!field->is_boolean()) Refuse(key, "must be true or false");
  value = field->get<bool>();
  return true;
}

bool Fields::Word(const char* key, std::string& value, const std::vector<std::string>& allowed) {
  if (!Text(key, value)) return false;
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
    Refuse(key, "must be one of " + Joined(allowed) + ", not '" + value + "'");
  return true;
}

bool Fields::Words(const char* key, std::vector<std::string>& value,
                   const std::vector<std::string>& allowed) {
  const Json* field = Find(key);
  if (!field) return false;
  const std::string wanted = "must be a list of some of " + Joined(allowed);
  if (!field->is_array() || field->empty()) Refuse(key, wanted);
  value.clear();
  for (const Json& word : *field) {
    if (!word.is_string() ||
        std::find(allowed.begin(), allowed.end(), word.get<std::string>()) == allowed.end())
      Refuse(key, wanted);
    value.push_back(word);
  }
  return true;
}

const Json* Fields::Find(const char* key) {
  known_.emplace_back(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

Fields Fields::Part(const char* key) {
  const Json* field = Find(key);
  return {field ? *field : kEmpty, Place(key)};
}

void Fields::Done() const {
  for (const auto& item : object_.items())
    if (std::find(known_.begin(), known_.end(), item.key()) == known_.end())
      Refuse(item.key(), "is not a field; the fields here are " + Joined(known_));
}

void Fields::Refuse(const std::string& key, const std::string& why) const {
  throw UsageError(Place(key) + " " + why);
}

// "FILE: core.imul": the file is named once, the path of the field after it.
std::string Fields::Place(const std::string& key) const {
  return place_ + (place_.find(": ") == std::string::npos ? ": " : ".") + key;
}

}  // namespace irqcost::simulate
