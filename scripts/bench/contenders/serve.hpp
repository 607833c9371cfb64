// What a contender written in C++ says and is told: see scripts/bench/contender.mjs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bench {

/// What is to be computed, with its inputs and the places for its results: row-major matrices, one after the other.
struct Line {
  std::string operation;  ///< value, jvp or vjp
  std::string dtype;
  long n = 0;
  long count = 0;
  bool one_by_one = false;  ///< each matrix by a call of its own, which may use threads of the library
  int library_threads = 1;  ///< which are so many; a stack is shared among threads around it instead
  std::vector<char> A, direction, value, derivative;
};

/// Computes the matrices [first, last).
using Pass = std::function<void(long first, long last)>;

/// An empty pass where the contender does not offer a line, and why.
struct Offer {
  Pass pass;
  std::string why;
  long units = 0;  ///< where it always computes so many, shared among threads, whatever the line says
};

/// Where derivatives are an exponential of twice the order, which takes eight times as long: alone it would take most of a run.
constexpr long kLargestBlock = 512;
constexpr const char* kTooLargeABlock = "the exponential of twice the order would take too long";

inline bool is_too_large_a_block(const Line& line) {
  return line.operation != "value" && 2 * line.n > kLargestBlock;
}

inline std::vector<std::string> fields_of(const std::string& request) {
  std::vector<std::string> fields;
  std::stringstream stream(request);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  return fields;
}

inline std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw std::runtime_error("cannot read its inputs");
  return bytes;
}

/// Each thread takes its share of the matrices, as anyone would write it around a library that computes one.
inline void run(const Pass& pass, long count, int threads) {
  if (threads == 1) return pass(0, count);
  std::vector<std::thread> others;
  for (int k = 1; k < threads; ++k)
    others.emplace_back([&, k] { pass(count * k / threads, count * (k + 1) / threads); });
  pass(0, count / threads);
  for (std::thread& other : others) other.join();
}

class Server {
 public:
  Server(int threads, Offer (*offer)(Line&)) : threads_(threads), offer_(offer) {}

  std::string answer(const std::vector<std::string>& request) {
    const std::string& verb = request.at(0);
    if (verb == "prepare") return prepare(request);
    if (verb == "time") return time(std::stol(request.at(1)), std::stol(request.at(2)));
    if (verb == "result") return result(std::stol(request.at(1)), request.at(2));
    throw std::runtime_error("unknown request " + verb);
  }

 private:
  std::string prepare(const std::vector<std::string>& request) {
    line_ = {};
    line_.operation = request.at(1);
    line_.dtype = request.at(2);
    line_.n = std::stol(request.at(3));
    line_.count = std::stol(request.at(4));
    line_.one_by_one = request.at(7) == "one";
    line_.library_threads = line_.one_by_one ? threads_ : 1;
    line_.A = read_file(request.at(5));
    line_.value.resize(line_.A.size());
    if (line_.operation != "value") {
      line_.direction = read_file(request.at(6));
      line_.derivative.resize(line_.A.size());
    }
    Offer made = offer_(line_);
    pass_ = made.pass;
    sharing_ = line_.one_by_one && made.units == 0 ? 1 : threads_;
    if (!pass_) return "{\"offers\":false,\"why\":\"" + made.why + "\"}";
    if (made.units == 0) return "{\"offers\":true}";
    return "{\"offers\":true,\"limit\":" + std::to_string(made.units) + ",\"whole\":true}";
  }

  std::string time(long count, long passes) {
    const std::clock_t processor_start = std::clock();
    const auto start = std::chrono::steady_clock::now();
    for (long k = 0; k < passes; ++k) run(pass_, count, sharing_);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const double processor = static_cast<double>(std::clock() - processor_start) / CLOCKS_PER_SEC;
    return "{\"seconds\":" + std::to_string(spent.count()) + ",\"processor\":" + std::to_string(processor) + "}";
  }

  std::string result(long count, const std::string& path) {
    run(pass_, count, sharing_);
    const std::vector<char>& from = line_.operation == "value" ? line_.value : line_.derivative;
    const auto bytes = static_cast<long>(from.size()) / line_.count * count;
    std::ofstream(path, std::ios::binary).write(from.data(), bytes);
    return "{}";
  }

  int threads_;
  int sharing_ = 1;
  Offer (*offer_)(Line&);
  Line line_;
  Pass pass_;
};

/// Says who it is, and answers a request a line until there are no more.
inline int serve(const std::string& version, int threads, Offer (*offer)(Line&)) {
  std::cout << "{\"version\":\"" << version << "\"}" << std::endl;
  Server server(threads, offer);
  for (std::string request; std::getline(std::cin, request);) {
    try {
      std::cout << server.answer(fields_of(request)) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "{\"error\":\"" << error.what() << "\"}" << std::endl;
    }
  }
  return 0;
}

}  // namespace bench
