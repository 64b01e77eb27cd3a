//! Attention of the reference model beside candle's and PyTorch's, in one run.
//!
//! `cargo bench -p longboard-refmodel --bench attention`, with ` -- decode` the steps of answers alone, with ` -- kernel` the
//! kernel alone
//!
//! PyTorch is asked through the interpreter named by `LONGBOARD_PYTHON` (default `python3`) and left out, with a word,
//! where it cannot be imported. Times are CPU seconds of one thread, best of three, but for the row on two threads.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench may panic; counts far below 2^53"
)]

use std::collections::HashMap;
use std::process::Command;
use std::time::Instant;

use candle_core::{D, Device, Tensor};
use candle_nn::attention::{AttnMask, flash_attn};
use longboard_refmodel::attention::{Chunk, attend};
use longboard_refmodel::cache::HeadCache;
use longboard_refmodel::kernel::{self, PageView, RowRange};
use longboard_refmodel::page::{PAGE, Page};
use longboard_refmodel::policy::{Card, Meter, Policy, Seen, Selector, Site, TILE};
use mimalloc::MiMalloc;
use rayon::prelude::*;

/// The worker's allocator, which asks for huge pages.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const HEADS: usize = 8;
const DIM: usize = 32;
const CHUNK: usize = 512;
const LAYERS: f64 = 4.0;
const SCALE: f32 = 0.176_776_7;
/// One core's products and sums per second: two vector units, 16 lanes, two operations each.
const FLOP_PER_CYCLE: f64 = 64.0;

fn main() {
    // candle's own threads would wait for each other by spinning.
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(std::env::args().skip(1)).env("CANDLE_NUM_THREADS", "1").env("RAYON_NUM_THREADS", "2");
        std::process::exit(again.status().unwrap().code().unwrap_or(1));
    }
    if std::env::args().any(|argument| argument == "decode") {
        return decode();
    }
    if std::env::args().any(|argument| argument == "kernel") {
        return kernel();
    }
    let lengths = [2048, 4096, 8192];
    let torch = torch(&lengths);
    println!("prefill, CPU seconds for 4 layers of 8 heads of 32 channels, one thread");
    println!(
        "| tokens | PyTorch SDPA | candle composed | candle flash | ours, dense | dense / PyTorch | ours, 1k of sparse | PyTorch / sparse | dense GFLOP/s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for tokens in lengths {
        let text = Text::new(tokens);
        let ours = LAYERS * best(|| text.prefill("dense", &[], 1));
        let sparse = LAYERS * best(|| text.prefill("minference-block-sparse", &[("blocks", 16.0)], 1));
        let composed = if tokens <= 4096 { Some(LAYERS * best(|| text.composed())) } else { None };
        let flash = if tokens <= 4096 { Some(LAYERS * best(|| text.flash())) } else { None };
        let peer = torch.get(&tokens).map(|seconds| LAYERS * seconds);
        let flop = LAYERS * (4 * HEADS * DIM) as f64 * (tokens * (tokens + 1) / 2) as f64;
        println!(
            "| {tokens} | {} | {} | {} | {ours:.3} | {} | {sparse:.3} | {} | {:.1} |",
            shown(peer),
            shown(composed),
            shown(flash),
            shown(peer.map(|peer| ours / peer)),
            shown(peer.map(|peer| peer / sparse)),
            flop / ours / 1e9,
        );
    }
    difference();
    threads();
    kernel();
    decode();
    println!("peak of one core at 1 GHz: {FLOP_PER_CYCLE} GFLOP/s in vectors of 512 bits, half of it in those of 256");
}

/// The kernel over 8,192 tokens that every row sees.
fn kernel() {
    const TOKENS: usize = 8192;
    println!("kernel alone, one thread, CPU time");
    println!("| rows | channels | ns per pair | GFLOP/s |");
    println!("|---|---|---|---|");
    for (rows, dim) in [(96, 16), (96, 32), (96, 64), (1, 16), (1, 64)] {
        let mut draw = draws();
        let mut numbers = |count: usize| (0..count).map(|_| draw()).collect::<Vec<f32>>();
        let filled = |_| {
            let mut page = Page::new(dim);
            while page.push(&numbers(dim), &numbers(dim)) {}
            page
        };
        let pages: Vec<Page> = (0..TOKENS / PAGE).map(filled).collect();
        let views: Vec<PageView<'_>> = pages
            .iter()
            .enumerate()
            .map(|(index, page)| PageView { page, valid: u64::MAX, first: index * PAGE })
            .collect();
        let queries = numbers(rows * dim);
        let ranges = vec![RowRange { from: 0, to: TOKENS }; rows];
        let (mut output, mut lse) = (vec![0.0; rows * dim], vec![0.0; rows]);
        let rounds = 384 / rows;
        let seconds = best(|| {
            let before = cpu_seconds();
            (0..rounds).for_each(|_| kernel::attend(&queries, &ranges, &views, &mut output, &mut lse));
            cpu_seconds() - before
        });
        let pairs = (rounds * rows * TOKENS) as f64;
        println!("| {rows} | {dim} | {:.2} | {:.1} |", seconds / pairs * 1e9, pairs * (4 * dim) as f64 / seconds / 1e9);
    }
}

/// Numbers from -1 to 1, the same ones every time.
fn draws() -> impl FnMut() -> f32 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// CPU seconds of the calling thread.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Random queries, keys and values, `[heads][tokens * dim]` each.
struct Text {
    tokens: usize,
    queries: Vec<Vec<f32>>,
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
}

impl Text {
    fn new(tokens: usize) -> Self {
        let mut draw = draws();
        let mut heads = || (0..HEADS).map(|_| (0..tokens * DIM).map(|_| draw()).collect()).collect();
        Self { tokens, queries: heads(), keys: heads(), values: heads() }
    }

    fn prefill(&self, policy: &str, settings: &[(&str, f64)], threads: usize) -> f64 {
        let policy = built(policy, settings);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (wall, cpu) = (Instant::now(), cpu_seconds());
            (0..HEADS).into_par_iter().for_each(|head| {
                let _ = self.head(head, policy.as_ref());
            });
            if threads == 1 { cpu_seconds() - cpu } else { wall.elapsed().as_secs_f64() }
        })
    }

    /// Outputs `[tokens, dim]` of one head, read in chunks.
    fn head(&self, head: usize, policy: &dyn Policy) -> Vec<f32> {
        let mut cache = HeadCache::new(DIM, policy.summaries());
        let mut selector = policy.selector(site(head));
        let mut output = vec![0.0; self.tokens * DIM];
        let mut lse = vec![0.0; CHUNK];
        for (index, output) in output.chunks_mut(CHUNK * DIM).enumerate() {
            let at = index * CHUNK * DIM..index * CHUNK * DIM + output.len();
            self.push(head, index * CHUNK, output.len() / DIM, &mut cache);
            let meter = Meter::default();
            let chunk = chunk(&self.queries[head][at], index * CHUNK, false, &meter);
            attend(&chunk, DIM, &cache, selector.as_mut(), output, &mut lse);
        }
        output
    }

    fn push(&self, head: usize, first: usize, count: usize, cache: &mut HeadCache) {
        for token in first..first + count {
            let at = token * DIM..(token + 1) * DIM;
            cache.push(u32::try_from(token).unwrap(), &self.keys[head][at.clone()], &self.values[head][at]);
        }
    }

    fn tensors(&self) -> [Tensor; 3] {
        [&self.queries, &self.keys, &self.values]
            .map(|heads| Tensor::from_vec(heads.concat(), (1, HEADS, self.tokens, DIM), &Device::Cpu).unwrap())
    }

    /// Scores, mask, softmax and product as whole tensors, which is how candle's models attend.
    fn composed(&self) -> f64 {
        let [queries, keys, values] = self.tensors();
        let mask: Vec<f32> = (0..self.tokens * self.tokens)
            .map(|at| if at % self.tokens > at / self.tokens { f32::NEG_INFINITY } else { 0.0 })
            .collect();
        let mask = Tensor::from_vec(mask, (self.tokens, self.tokens), &Device::Cpu).unwrap();
        one_thread(|| {
            let scores = (queries.matmul(&keys.t().unwrap()).unwrap() * f64::from(SCALE)).unwrap();
            let weights = candle_nn::ops::softmax_last_dim(&scores.broadcast_add(&mask).unwrap()).unwrap();
            let _ = weights.matmul(&values).unwrap();
        })
    }

    fn flash(&self) -> f64 {
        let tensors = self.tensors().map(|tensor| tensor.transpose(1, 2).unwrap().contiguous().unwrap());
        one_thread(|| {
            let [queries, keys, values] = &tensors;
            let _ = flash_attn::<f32>(queries, keys, values, SCALE, AttnMask::causal(), None, None).unwrap();
        })
    }
}

/// All threads' CPU seconds of `run`, which candle may spread over rayon's.
fn one_thread(run: impl Fn() + Send + Sync) -> f64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let process = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    };
    pool.install(|| {
        let begun = process();
        run();
        process() - begun
    })
}

fn site(kv_head: usize) -> Site {
    Site { layer: 2, kv_head, kv_heads: HEADS, group: 1, gate_share: None }
}

fn built(policy: &str, settings: &[(&str, f64)]) -> Box<dyn Policy> {
    let card = Card::find(policy).unwrap();
    let given: Vec<(String, f64)> = settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    card.build(&card.settings(&given).unwrap())
}

fn chunk<'a>(queries: &'a [f32], first: usize, decoding: bool, meter: &'a Meter) -> Chunk<'a> {
    Chunk {
        queries,
        member: 0,
        first,
        position: first,
        decoding,
        rope: None,
        tile_rows: TILE,
        meter,
        accelerator: None,
    }
}

/// How far ours is from candle's composed operations.
fn difference() {
    let text = Text::new(1024);
    let [queries, keys, values] = text.tensors();
    let scores = (queries.matmul(&keys.t().unwrap()).unwrap() * f64::from(SCALE)).unwrap();
    let mask: Vec<f32> =
        (0..1024 * 1024).map(|at| if at % 1024 > at / 1024 { f32::NEG_INFINITY } else { 0.0 }).collect();
    let mask = Tensor::from_vec(mask, (1024, 1024), &Device::Cpu).unwrap();
    let weights = candle_nn::ops::softmax(&scores.broadcast_add(&mask).unwrap(), D::Minus1).unwrap();
    let wanted = weights.matmul(&values).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let dense = built("dense", &[]);
    let ours: Vec<f32> = (0..HEADS).flat_map(|head| text.head(head, dense.as_ref())).collect();
    let far = ours.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("largest difference from candle composed at 1024 tokens: {far:.1e}");
}

fn threads() {
    let text = Text::new(8192);
    let wall = |threads| {
        best(|| {
            let begun = Instant::now();
            let _ = text.prefill("dense", &[], threads);
            begun.elapsed().as_secs_f64()
        })
    };
    let (one, two) = (wall(1), wall(2));
    println!(
        "dense prefill of 8192 tokens, one layer, wall seconds: 1 thread {one:.3}, 2 threads {two:.3}, x {:.2}",
        one / two
    );
}

/// Steps at a fixed budget of 1024 tokens, head after head, each with queries of its own, so that nothing stays in the
/// processor's caches for long. The median over groups of as many steps as LServe makes of a choice.
fn decode() {
    const GROUPS: usize = 100;
    const STEPS: usize = 4;
    println!(
        "decode of 8 heads, microseconds a token, budget 1024, one thread, median of {GROUPS} times {STEPS} steps"
    );
    println!("| policy | context | selecting | reading | both |");
    println!("|---|---|---|---|---|");
    for (policy, settings) in [
        ("dense", &[][..]),
        ("streaming-llm", &[("window", 1020.0)]),
        ("quest", &[("budget", 1024.0), ("dense-layers", 0.0)]),
        ("lserve", &[("budget", 1024.0), ("streaming", 0.0)]),
    ] {
        for tokens in [8 * 1024, 32 * 1024, 128 * 1024] {
            let text = Text::new(tokens);
            let policy_built = built(policy, settings);
            let mut heads: Vec<_> = (0..HEADS)
                .map(|head| {
                    let mut cache = HeadCache::new(DIM, policy_built.summaries());
                    text.push(head, 0, tokens, &mut cache);
                    (cache, policy_built.selector(site(head)))
                })
                .collect();
            let groups: Vec<(f64, f64)> = (0..GROUPS)
                .map(|group| {
                    let (mut selecting, mut reading) = (0.0, 0.0);
                    for step in group * STEPS..(group + 1) * STEPS {
                        for (head, (cache, selector)) in heads.iter_mut().enumerate() {
                            let query = &text.queries[head][step * DIM..(step + 1) * DIM];
                            let cost = one_step(query, tokens - 1, cache, selector.as_mut());
                            selecting += cost.0;
                            reading += cost.1;
                        }
                    }
                    (selecting, reading)
                })
                .collect();
            let each = 1e6 / STEPS as f64;
            let selecting = each * median(groups.iter().map(|(selecting, _)| *selecting).collect());
            let reading = each * median(groups.iter().map(|(_, reading)| *reading).collect());
            println!("| {policy} | {tokens} | {selecting:.1} | {reading:.1} | {:.1} |", selecting + reading);
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn one_step(query: &[f32], first: usize, cache: &HeadCache, selector: &mut dyn Selector) -> (f64, f64) {
    let (mut output, mut lse) = ([0.0; DIM], [0.0; 1]);
    let meter = Meter::default();
    let cost = attend(&chunk(query, first, true, &meter), DIM, cache, selector, &mut output, &mut lse);
    let seen = Seen { meter: &meter, prompt_over: false, decoding: true, last_queries: &[], sums: &[], surprisal: &[] };
    // Policies that reuse a choice count steps by this call; nothing is evicted here.
    let mut empty = HeadCache::new(DIM, Default::default());
    selector.settle(&mut empty, &seen);
    (cost.selecting.as_secs_f64(), cost.reading.as_secs_f64())
}

/// CPU seconds of one layer in PyTorch by length; empty where there is none.
fn torch(lengths: &[usize]) -> HashMap<usize, f64> {
    const SCRIPT: &str = "
import sys, time, torch
torch.set_num_threads(1)
print(torch.__version__, torch.backends.cpu.get_cpu_capability(), file=sys.stderr)
for tokens in map(int, sys.argv[1:]):
    q, k, v = (torch.rand(1, 8, tokens, 32) * 2 - 1 for _ in range(3))
    best = 1e9
    for _ in range(3):
        begun = time.process_time()
        torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        best = min(best, time.process_time() - begun)
    print(tokens, best)
";
    let python = std::env::var("LONGBOARD_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let lengths = lengths.iter().map(ToString::to_string);
    let output = Command::new(&python).arg("-c").arg(SCRIPT).args(lengths).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        println!("PyTorch is left out: {python} cannot import torch; name another with LONGBOARD_PYTHON");
        return HashMap::new();
    };
    println!("PyTorch {}", String::from_utf8_lossy(&output.stderr).trim());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(tokens, seconds)| (tokens.parse().unwrap(), seconds.parse().unwrap()))
        .collect()
}
