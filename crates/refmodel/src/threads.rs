//! candle's own threads.

/// Leaves candle's elementwise operations on the thread that calls them, unless `CANDLE_NUM_THREADS` says otherwise.
///
/// candle spreads them over a pool whose threads wait for each other by spinning. Ours work side by side on parts of a
/// batch and on heads; beside them the pool takes the cores and gives nothing (a training step took twice as long).
///
/// # Safety
/// The environment is changed: no other thread may exist yet. Call it first in `main`.
#[expect(unsafe_code, reason = "candle reads the number of its threads from the environment only")]
pub unsafe fn settle() {
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        // SAFETY: the caller promises that there is one thread.
        unsafe { std::env::set_var("CANDLE_NUM_THREADS", "1") };
    }
}
