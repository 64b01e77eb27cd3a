// What the kernel asks of a graphics processor with compute capability 8.0 or above.

__device__ __forceinline__ unsigned shared_address(const void *pointer) {
    return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// Copies 16 bytes to shared memory in the background, or zeros where they are not `wanted`.
__device__ __forceinline__ void copy_later(uint4 *to, const uint4 *from, bool wanted) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(wanted ? 16 : 0));
}

__device__ __forceinline__ void close_copies() { asm volatile("cp.async.commit_group;"); }

__device__ __forceinline__ void wait_for_all_but_last() { asm volatile("cp.async.wait_group 1;" ::: "memory"); }

// Four tiles of 8 x 8, whose rows the lanes name eight at a time; a lane gets two neighbours of row `lane / 4` of each.
__device__ __forceinline__ void read_tiles(unsigned (&tiles)[4], const uint4 *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(tiles[0]), "=r"(tiles[1]), "=r"(tiles[2]), "=r"(tiles[3])
                 : "r"(shared_address(row)));
}

// The same of the tiles' transposes.
__device__ __forceinline__ void read_tiles_turned(unsigned (&tiles)[4], const uint4 *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(tiles[0]), "=r"(tiles[1]), "=r"(tiles[2]), "=r"(tiles[3])
                 : "r"(shared_address(row)));
}

// Adds the product of 16 x 16 and 16 x 8 to 16 x 8.
__device__ __forceinline__ void multiply(float (&sums)[4], const unsigned (&left)[4], unsigned low, unsigned high) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(low), "r"(high));
}

// Two numbers in bf16, the first in the lower half.
__device__ __forceinline__ unsigned pair(float low, float high) {
    unsigned both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}

// 2^x.
__device__ __forceinline__ float power(float x) {
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

__device__ __forceinline__ float from_lane(float value, int apart) { return __shfl_xor_sync(~0u, value, apart); }

__device__ __forceinline__ bool everywhere(bool holds) { return __all_sync(~0u, holds); }
