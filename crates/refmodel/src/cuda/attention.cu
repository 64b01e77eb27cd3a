// Attention of tiles of queries over lists of pages, with online softmax, for graphics processors: the counterpart of
// kernel.rs. Products of bf16 on tensor cores, sums in f32 (Dao 2023, FlashAttention-2: a warp owns 16 rows; split-KV for
// decoding). DIM, the channels of a head, is 16, 32, 64 or 128. What a processor must offer stands in instructions.cu.

constexpr int PAGE = 64;            // tokens of a page
constexpr int ROWS = 64;            // most rows of a tile
constexpr int WARPS = ROWS / 16;
constexpr int THREADS = 32 * WARPS;
constexpr int PIECES = DIM / 8;     // 16-byte pieces of a token
constexpr int STEPS = DIM / 16;     // channels that one product takes, over all channels
constexpr int TOKENS = PAGE / 8;    // tokens that one product makes, over a page
constexpr int GROUPS = DIM / 8;     // channels that one product makes, over all channels
constexpr int STAGES = 2;           // pages in shared memory
#define NOTHING (-1.0f / 0.0f)

// A page of a list. Bit t of `seen`: some row sees token t. Tokens that none sees are zero in shared memory, since a
// weight of nothing times a poisoned value is still poison.
struct Listed {
    unsigned slot;
    unsigned first;
    unsigned long long seen;
};

// Rows `row..` of the queries over pages `page..`; results go to rows `out..`.
struct Part {
    unsigned row, rows, page, pages, out;
};

// Row `out` is the joint softmax of rows `from`, `from + stride`, ...
struct Merge {
    unsigned out, from, parts, stride;
};

// Where piece `piece` of token `token` lies: pieces of eight tokens that are read at once lie in different banks.
__device__ __forceinline__ int place(int token, int piece) {
    constexpr int WIDE = PIECES < 8 ? PIECES : 8;
    return token * PIECES + (piece ^ (token / (8 / WIDE) % WIDE));
}

__device__ __forceinline__ unsigned long long first_bits(unsigned count) {
    return count >= PAGE ? ~0ull : (1ull << count) - 1;
}

// Tokens of a page that starts at `first` and that a row with keys `from..to` sees.
__device__ __forceinline__ unsigned long long visible(uint2 range, unsigned first) {
    unsigned from = range.x > first ? range.x - first : 0, to = range.y > first ? range.y - first : 0;
    return first_bits(to) & ~first_bits(from);
}

// Begins to copy a page into a stage, keys before values.
__device__ __forceinline__ void fetch(uint4 *stage, Listed page, const uint4 *keys, const uint4 *values) {
    const size_t at = size_t(page.slot) * PAGE * PIECES;
    for (int piece = threadIdx.x; piece < PAGE * PIECES; piece += THREADS) {
        const int token = piece / PIECES, to = place(token, piece % PIECES);
        const bool seen = page.seen >> token & 1;
        copy_later(stage + to, keys + at + piece, seen);
        copy_later(stage + PAGE * PIECES + to, values + at + piece, seen);
    }
}

// What a lane holds of its warp's 16 rows: rows `lane / 4` and 8 below, channels `lane % 4 * 2` and the next of each group.
struct Rows {
    unsigned queries[STEPS][4];
    float outputs[GROUPS][4];
    float most[2], total[2];
};

__device__ __forceinline__ void scores(const Rows &rows, const uint4 *keys, int lane, float (&scores)[TOKENS][4]) {
#pragma unroll
    for (int token = 0; token < TOKENS; token += 2) {
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            unsigned key[4];
            read_tiles(key, keys + place(token * 8 + lane / 16 * 8 + lane % 8, step * 2 + lane / 8 % 2));
            multiply(scores[token], rows.queries[step], key[0], key[1]);
            multiply(scores[token + 1], rows.queries[step], key[2], key[3]);
        }
    }
}

__device__ __forceinline__ void hide(float (&scores)[TOKENS][4], int lane, const unsigned long long (&bits)[2]) {
#pragma unroll
    for (int token = 0; token < TOKENS; token++) {
#pragma unroll
        for (int at = 0; at < 4; at++) {
            const int bit = token * 8 + lane % 4 * 2 + at % 2;
            scores[token][at] = bits[at / 2] >> bit & 1 ? scores[token][at] : NOTHING;
        }
    }
}

// Scores become weights under the rows' new maxima; outputs and totals follow a maximum that grew.
__device__ __forceinline__ void weigh(Rows &rows, float (&scores)[TOKENS][4]) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float most = rows.most[half];
#pragma unroll
        for (int token = 0; token < TOKENS; token++) {
            most = fmaxf(most, fmaxf(scores[token][half * 2], scores[token][half * 2 + 1]));
        }
        most = fmaxf(most, from_lane(most, 1));
        most = fmaxf(most, from_lane(most, 2));
        const float floor = most == NOTHING ? 0.0f : most;
        const float shrink = power(rows.most[half] - floor);
        rows.most[half] = most;
        float sum = 0.0f;
#pragma unroll
        for (int token = 0; token < TOKENS; token++) {
#pragma unroll
            for (int at = half * 2; at < half * 2 + 2; at++) {
                scores[token][at] = power(scores[token][at] - floor);
                sum += scores[token][at];
            }
        }
        rows.total[half] = rows.total[half] * shrink + sum;
#pragma unroll
        for (int group = 0; group < GROUPS; group++) {
            rows.outputs[group][half * 2] *= shrink;
            rows.outputs[group][half * 2 + 1] *= shrink;
        }
    }
}

__device__ __forceinline__ void add(Rows &rows, const uint4 *values, int lane, const float (&weights)[TOKENS][4]) {
#pragma unroll
    for (int token = 0; token < TOKENS; token += 2) {
        const float(&low)[4] = weights[token], (&high)[4] = weights[token + 1];
        const unsigned weight[4] = {pair(low[0], low[1]), pair(low[2], low[3]), pair(high[0], high[1]), pair(high[2], high[3])};
#pragma unroll
        for (int group = 0; group < GROUPS; group += 2) {
            unsigned value[4];
            read_tiles_turned(value, values + place(token * 8 + lane / 8 % 2 * 8 + lane % 8, group + lane / 16));
            multiply(rows.outputs[group], weight, value[0], value[1]);
            multiply(rows.outputs[group + 1], weight, value[2], value[3]);
        }
    }
}

// Queries `[rows, DIM]` in bf16, scaled by log2(e) / sqrt(DIM); `ranges` the keys that each row sees; keys and values
// `[slots, PAGE, DIM]` in bf16. Outputs `[rows, DIM]` and natural log-sum-exp `[rows]`; a row that sees nothing gets zeros
// and minus infinity. One block per part.
extern "C" __global__ void __launch_bounds__(THREADS)
attend(const Part *parts, const Listed *pages, const unsigned *queries, const uint2 *ranges, const uint4 *keys,
       const uint4 *values, float *outputs, float *lse) {
    extern __shared__ uint4 shared[];
    constexpr int STAGE = 2 * PAGE * PIECES;
    const Part part = parts[blockIdx.x];
    const Listed *list = pages + part.page;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const unsigned own[2] = {unsigned(warp * 16 + lane / 4), unsigned(warp * 16 + lane / 4 + 8)};
    const bool busy = warp * 16 < int(part.rows);

    Rows rows;
    uint2 range[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const bool there = own[half] < part.rows;
        const size_t row = part.row + own[half];
        range[half] = there ? ranges[row] : make_uint2(0, 0);
        rows.most[half] = NOTHING;
        rows.total[half] = 0.0f;
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            const size_t at = row * (DIM / 2) + step * 8 + lane % 4;
            rows.queries[step][half] = there ? queries[at] : 0;
            rows.queries[step][half + 2] = there ? queries[at + 4] : 0;
        }
    }
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
#pragma unroll
        for (int at = 0; at < 4; at++) rows.outputs[group][at] = 0.0f;
    }

    if (part.pages > 0) fetch(shared, list[0], keys, values);
    close_copies();
    for (unsigned index = 0; index < part.pages; index++) {
        if (index + 1 < part.pages) fetch(shared + (index + 1) % STAGES * STAGE, list[index + 1], keys, values);
        close_copies();
        wait_for_all_but_last();
        __syncthreads();
        if (busy) {
            const uint4 *stage = shared + index % STAGES * STAGE;
            const Listed page = list[index];
            const unsigned long long bits[2] = {visible(range[0], page.first) & page.seen,
                                                visible(range[1], page.first) & page.seen};
            float weights[TOKENS][4] = {};
            scores(rows, stage, lane, weights);
            if (!everywhere((bits[0] & bits[1]) == ~0ull)) hide(weights, lane, bits);
            weigh(rows, weights);
            add(rows, stage + PAGE * PIECES, lane, weights);
        }
        __syncthreads();
    }
    if (!busy) return;

#pragma unroll
    for (int half = 0; half < 2; half++) {
        float total = rows.total[half];
        total += from_lane(total, 1);
        total += from_lane(total, 2);
        if (own[half] >= part.rows) continue;
        const float scale = total > 0.0f ? 1.0f / total : 0.0f;
        const size_t row = part.out + own[half];
        if (lane % 4 == 0) lse[row] = total > 0.0f ? rows.most[half] * 0.6931471805599453f + logf(total) : NOTHING;
#pragma unroll
        for (int group = 0; group < GROUPS; group++) {
            const float2 both = make_float2(rows.outputs[group][half * 2] * scale, rows.outputs[group][half * 2 + 1] * scale);
            *reinterpret_cast<float2 *>(outputs + row * DIM + group * 8 + lane % 4 * 2) = both;
        }
    }
}

// Joins the parts of a row by their log-sum-exp. One block of DIM threads per row.
extern "C" __global__ void __launch_bounds__(DIM) merge(const Merge *merges, float *outputs, float *lse) {
    const Merge row = merges[blockIdx.x];
    float most = NOTHING;
    for (unsigned part = 0; part < row.parts; part++) most = fmaxf(most, lse[row.from + part * row.stride]);
    float total = 0.0f, sum = 0.0f;
    for (unsigned part = 0; part < row.parts && most > NOTHING; part++) {
        const size_t at = row.from + size_t(part) * row.stride;
        const float weight = expf(lse[at] - most);
        total += weight;
        sum += weight * outputs[at * DIM + threadIdx.x];
    }
    outputs[size_t(row.out) * DIM + threadIdx.x] = total > 0.0f ? sum / total : 0.0f;
    if (threadIdx.x == 0) lse[row.out] = total > 0.0f ? most + logf(total) : NOTHING;
}
