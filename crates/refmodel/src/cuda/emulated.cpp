// Runs the kernel's own source on a processor, to test it where there is no graphics processor: every thread of a block is
// a fiber, and a warp's instructions wait for all its lanes. So that a missing wait shows, fibers run in an order that the
// caller names, and copies arrive at once in order 1, and no earlier than they must in others.
//
// Reads seven counts and an order, then the arrays in the order in which attend() and merge() take them; writes outputs
// and log-sum-exp.

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#define __device__
#define __global__
#define __shared__
#define __forceinline__ inline
#define __launch_bounds__(threads)

struct Index { unsigned x; };
struct uint2 { unsigned x, y; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline float2 make_float2(float x, float y) { return {x, y}; }

Index threadIdx, blockIdx;
uint4 shared[2 * 2 * 64 * (DIM / 8)];

struct Copy { uint4 *to; const uint4 *from; bool wanted; };

struct Fiber {
    ucontext_t context;
    std::vector<char> stack = std::vector<char>(256 << 10);
    bool done = false;
    std::deque<std::vector<Copy>> closed;
    std::vector<Copy> open;
    long rounds = 0, barriers = 0;
};

struct Warp {
    long arrived[2] = {0, 0};
    unsigned words[2][32][8];
    const void *rows[2][32];
};

std::vector<std::unique_ptr<Fiber>> fibers;
std::vector<Warp> warps;
long at_barrier = 0;
ucontext_t scheduler;

Fiber &self() { return *fibers[threadIdx.x]; }

void pass() {
    const unsigned thread = threadIdx.x;
    swapcontext(&self().context, &scheduler);
    threadIdx.x = thread;
}

void __syncthreads() {
    at_barrier++;
    const long wanted = ++self().barriers * long(fibers.size());
    while (at_barrier < wanted) pass();
}

// Waits until all lanes of the warp have left what `leave` writes; gives the half of the warp's board it stands on.
template <typename Leave> int together(Leave leave) {
    Warp &warp = warps[threadIdx.x / 32];
    const long round = self().rounds++;
    const int half = round % 2;
    leave(warp, half, threadIdx.x % 32);
    warp.arrived[half]++;
    while (warp.arrived[half] < 32 * (round / 2 + 1)) pass();
    return half;
}

bool at_once = false;

void carry_out(const Copy &copy) { *copy.to = copy.wanted ? *copy.from : uint4{0, 0, 0, 0}; }

void copy_later(uint4 *to, const uint4 *from, bool wanted) {
    const Copy copy{to, from, wanted};
    at_once ? carry_out(copy) : self().open.push_back(copy);
}

void close_copies() {
    self().closed.push_back(std::move(self().open));
    self().open.clear();
}

void wait_for_all_but_last() {
    auto &closed = self().closed;
    while (closed.size() > 1) {
        for (const Copy &copy : closed.front()) carry_out(copy);
        closed.pop_front();
    }
}

uint16_t element(const void *row, int at) {
    uint16_t value;
    memcpy(&value, static_cast<const char *>(row) + 2 * at, 2);
    return value;
}

void read(unsigned (&tiles)[4], const uint4 *row, bool turned) {
    const int half = together([&](Warp &warp, int half, int lane) { warp.rows[half][lane] = row; });
    const auto &rows = warps[threadIdx.x / 32].rows[half];
    const int lane = threadIdx.x % 32, one = lane / 4, two = lane % 4 * 2;
    for (int tile = 0; tile < 4; tile++) {
        const auto at = [&](int row, int column) { return element(rows[tile * 8 + row], column); };
        const unsigned low = turned ? at(two, one) : at(one, two), high = turned ? at(two + 1, one) : at(one, two + 1);
        tiles[tile] = low | high << 16;
    }
}

void read_tiles(unsigned (&tiles)[4], const uint4 *row) { read(tiles, row, false); }
void read_tiles_turned(unsigned (&tiles)[4], const uint4 *row) { read(tiles, row, true); }

float widened(unsigned bits) {
    float value;
    bits <<= 16;
    memcpy(&value, &bits, 4);
    return value;
}

void multiply(float (&sums)[4], const unsigned (&left)[4], unsigned low, unsigned high) {
    const int half = together([&](Warp &warp, int half, int lane) {
        const unsigned words[6] = {left[0], left[1], left[2], left[3], low, high};
        memcpy(warp.words[half][lane], words, sizeof words);
    });
    const auto &words = warps[threadIdx.x / 32].words[half];
    const int lane = threadIdx.x % 32;
    // Element [row][k] of the left matrix and [k][column] of the right one, by the tables of the PTX manual.
    const auto left_at = [&](int row, int k) {
        return widened(words[row % 8 * 4 + k % 8 / 2][row / 8 + k / 8 * 2] >> k % 2 * 16 & 0xffff);
    };
    const auto right_at = [&](int k, int column) {
        return widened(words[column * 4 + k % 8 / 2][4 + k / 8] >> k % 2 * 16 & 0xffff);
    };
    for (int at = 0; at < 4; at++) {
        const int row = lane / 4 + at / 2 * 8, column = lane % 4 * 2 + at % 2;
        for (int k = 0; k < 16; k++) sums[at] += left_at(row, k) * right_at(k, column);
    }
}

unsigned rounded(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

unsigned pair(float low, float high) { return rounded(low) | rounded(high) << 16; }
float power(float x) { return exp2f(x); }

float from_lane(float value, int apart) {
    const int half = together([&](Warp &warp, int half, int lane) { memcpy(warp.words[half][lane], &value, 4); });
    float other;
    memcpy(&other, warps[threadIdx.x / 32].words[half][threadIdx.x % 32 ^ apart], 4);
    return other;
}

bool everywhere(bool holds) {
    const int half = together([&](Warp &warp, int half, int lane) { warp.words[half][lane][0] = holds; });
    const auto &words = warps[threadIdx.x / 32].words[half];
    return std::all_of(words, words + 32, [](const unsigned(&lane)[8]) { return lane[0] != 0; });
}

#include "attention.cu"

void (*body)();

void enter() {
    body();
    self().done = true;
    pass();
}

// Runs a block of `threads` threads, whose fibers take turns from `order` on in steps of it.
void block(unsigned threads, unsigned order) {
    fibers.clear();
    warps.assign((threads + 31) / 32, Warp());
    at_barrier = 0;
    memset(shared, 0xff, sizeof shared);
    for (unsigned thread = 0; thread < threads; thread++) {
        fibers.push_back(std::make_unique<Fiber>());
        Fiber &fiber = *fibers.back();
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        makecontext(&fiber.context, enter, 0);
    }
    for (unsigned left = threads; left > 0;) {
        left = 0;
        for (unsigned turn = 0; turn < threads; turn++) {
            threadIdx.x = (turn * order + order / 2) % threads;
            Fiber &fiber = self();
            if (fiber.done) continue;
            left++;
            swapcontext(&scheduler, &fiber.context);
        }
    }
}

template <typename T> std::vector<T> take(size_t count) {
    std::vector<T> values(count);
    if (fread(values.data(), sizeof(T), count, stdin) != count) exit(2);
    return values;
}

std::vector<Part> parts;
std::vector<Listed> pages;
std::vector<unsigned> queries;
std::vector<uint2> ranges;
std::vector<uint4> keys, values;
std::vector<Merge> merges;
std::vector<float> outputs, lse;

int main() {
    const auto counts = take<unsigned>(7);
    at_once = counts[6] == 1;
    parts = take<Part>(counts[0]);
    pages = take<Listed>(counts[1]);
    queries = take<unsigned>(size_t(counts[2]) * DIM / 2);
    ranges = take<uint2>(counts[2]);
    keys = take<uint4>(size_t(counts[3]) * PAGE * PIECES);
    values = take<uint4>(size_t(counts[3]) * PAGE * PIECES);
    merges = take<Merge>(counts[4]);
    outputs.assign(size_t(counts[5]) * DIM, NAN);
    lse.assign(counts[5], NAN);
    body = [] {
        attend(parts.data(), pages.data(), queries.data(), ranges.data(), keys.data(), values.data(), outputs.data(), lse.data());
    };
    for (blockIdx.x = 0; blockIdx.x < counts[0]; blockIdx.x++) block(THREADS, counts[6]);
    body = [] { merge(merges.data(), outputs.data(), lse.data()); };
    for (blockIdx.x = 0; blockIdx.x < counts[4]; blockIdx.x++) block(DIM, counts[6]);
    fwrite(outputs.data(), sizeof(float), outputs.size(), stdout);
    fwrite(lse.data(), sizeof(float), lse.size(), stdout);
}
