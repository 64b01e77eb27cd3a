//! The kernel for graphics processors beside PyTorch's flash attention, in one run on one device.
//!
//! `cargo bench -p longboard-refmodel --features cuda --bench cuda`
//!
//! 8 key heads of 128 channels in bf16. Prefill: every token of one text reads what is before it, or 64 pages (4,096 tokens)
//! of that. Decode: the next token of each of 4 texts, 4 query heads per key head. Sparse lists are the first page, the last
//! two, and others evenly apart; choosing them is not part of the time. Wall time of the best of five, the device synchronised.
#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a bench may panic; counts far below 2^53")]

use std::collections::HashMap;
use std::process::Command;
use std::time::Instant;

use longboard_refmodel::cuda::{Batch, Gpu, Listed, Pool};
use longboard_refmodel::kernel::RowRange;
use longboard_refmodel::page::{PAGE, Page};

const DIM: usize = 128;
const HEADS: usize = 8;
const GROUP: usize = 4;
const TEXTS: usize = 4;
const LENGTHS: [usize; 3] = [8_192, 32_768, 131_072];
const BUDGET: usize = 64;
/// An H200's products and sums per second in bf16, and bytes per second, by its datasheet.
const PEAK: (f64, f64) = (989e12, 4.8e12);

fn main() {
    let gpu = match Gpu::open(0, DIM) {
        Ok(gpu) => gpu,
        Err(error) => return println!("nothing measured: {error}"),
    };
    println!("{}", gpu.name().unwrap());
    let peer = torch();
    println!(
        "| | tokens | PyTorch flash, ms | ours dense, ms | of the peak | ours sparse, ms | of the peak | PyTorch / sparse |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for tokens in LENGTHS {
        let pages = tokens / PAGE;
        let pool = filled(&gpu, HEADS * pages);
        let times = [usize::MAX, BUDGET].map(|budget| best(&gpu, &prefill(pages, budget), &pool));
        row("prefill", tokens, &times, peer.get(&("prefill".to_owned(), tokens)), |(_, pairs, seconds)| {
            4.0 * DIM as f64 * pairs / seconds / PEAK.0
        });
        let pool = filled(&gpu, TEXTS * HEADS * pages);
        let times = [usize::MAX, BUDGET].map(|budget| best(&gpu, &decode(pages, budget), &pool));
        row("decode", tokens, &times, peer.get(&("decode".to_owned(), tokens)), |(read, _, seconds)| {
            4.0 * DIM as f64 * read / seconds / PEAK.1
        });
    }
}

/// Tokens that tiles read, pairs of a query and a key that it sees, and seconds.
type Timed = (f64, f64, f64);

fn row(what: &str, tokens: usize, times: &[Timed; 2], peer: Option<&f64>, share: impl Fn(Timed) -> f64) {
    let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let [dense, sparse] = times.map(|timed| (timed.2 * 1e3, share(timed) * 100.0));
    println!(
        "| {what} | {tokens} | {} | {:.2} | {:.0} % | {:.2} | {:.0} % | {} |",
        shown(peer.map(|peer| peer * 1e3)),
        dense.0,
        dense.1,
        sparse.0,
        sparse.1,
        shown(peer.map(|peer| peer * 1e3 / sparse.0)),
    );
}

/// Every token of a text at each head, in tiles of a page.
fn prefill(pages: usize, budget: usize) -> (Batch, f64, f64) {
    let (mut batch, mut read, mut pairs) = (Batch::new(DIM), 0, 0);
    let queries = vec![0.01; PAGE * DIM];
    for head in 0..HEADS {
        for own in 0..pages {
            let ranges: Vec<RowRange> = (0..PAGE).map(|row| RowRange { from: 0, to: own * PAGE + row + 1 }).collect();
            let list = list(head * pages, own + 1, budget);
            read += list.len() * PAGE;
            pairs += (list.len() - 1) * PAGE * PAGE + PAGE * (PAGE + 1) / 2;
            batch.push(&queries, &ranges, &list);
        }
    }
    (batch, read as f64, pairs as f64)
}

/// The next token of each text at each head.
fn decode(pages: usize, budget: usize) -> (Batch, f64, f64) {
    let (mut batch, mut read) = (Batch::new(DIM), 0);
    let (queries, ranges) = (vec![0.01; GROUP * DIM], vec![RowRange { from: 0, to: pages * PAGE }; GROUP]);
    for head in 0..TEXTS * HEADS {
        let list = list(head * pages, pages, budget);
        read += list.len() * PAGE;
        batch.push(&queries, &ranges, &list);
    }
    (batch, read as f64, (read * GROUP) as f64)
}

/// The first page, the last two, and others evenly apart.
fn list(slot: usize, pages: usize, budget: usize) -> Vec<Listed> {
    let listed = |page: usize| Listed {
        slot: u32::try_from(slot + page).unwrap(),
        first: u32::try_from(page * PAGE).unwrap(),
        seen: u64::MAX,
    };
    if pages <= budget {
        return (0..pages).map(listed).collect();
    }
    let far = (0..budget - 2).map(|index| index * (pages - 2) / (budget - 2));
    far.chain(pages - 2..pages).map(listed).collect()
}

fn filled(gpu: &Gpu, slots: usize) -> Pool {
    let mut state = 0x9e37_79b9_u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut page = Page::new(DIM);
    let mut numbers = || (0..DIM).map(|_| draw()).collect::<Vec<f32>>();
    while page.push(&numbers(), &numbers()) {}
    let mut pool = gpu.pool(slots).unwrap();
    (0..slots).for_each(|slot| gpu.store(&mut pool, slot, &page).unwrap());
    pool
}

fn best(gpu: &Gpu, (batch, read, pairs): &(Batch, f64, f64), pool: &Pool) -> Timed {
    let mut launch = gpu.load(batch, pool).unwrap();
    let mut once = || {
        let begun = Instant::now();
        gpu.start(&mut launch, pool).unwrap();
        gpu.finish().unwrap();
        begun.elapsed().as_secs_f64()
    };
    once();
    let seconds = (0..5).map(|_| once()).fold(f64::INFINITY, f64::min);
    (*read, *pairs, seconds)
}

/// Seconds of PyTorch's flash attention by what and tokens.
fn torch() -> HashMap<(String, usize), f64> {
    const SCRIPT: &str = "
import sys, time, torch
from torch.nn.attention import SDPBackend, sdpa_kernel
print(torch.__version__, file=sys.stderr)
def best(attend):
    attend()
    torch.cuda.synchronize()
    found = 1e9
    for _ in range(5):
        begun = time.perf_counter()
        attend()
        torch.cuda.synchronize()
        found = min(found, time.perf_counter() - begun)
    return found
heads, group, texts, dim = map(int, sys.argv[1:5])
sdpa = torch.nn.functional.scaled_dot_product_attention
with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
    for tokens in map(int, sys.argv[5:]):
        draw = lambda *shape: torch.rand(*shape, dim, device='cuda', dtype=torch.bfloat16) * 2 - 1
        q, k, v = (draw(1, heads, tokens) for _ in range(3))
        print('prefill', tokens, best(lambda: sdpa(q, k, v, is_causal=True)))
        q, k, v = draw(texts, heads * group, 1), draw(texts, heads, tokens), draw(texts, heads, tokens)
        print('decode', tokens, best(lambda: sdpa(q, k, v, enable_gqa=True)))
";
    let python = std::env::var("LONGBOARD_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let numbers = [HEADS, GROUP, TEXTS, DIM].into_iter().chain(LENGTHS).map(|number| number.to_string());
    let output = Command::new(&python).arg("-c").arg(SCRIPT).args(numbers).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        println!("PyTorch is left out: {python} has no torch with CUDA; name another with LONGBOARD_PYTHON");
        return HashMap::new();
    };
    println!("PyTorch {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let (what, tokens, seconds) = (words.next()?, words.next()?, words.next()?);
        Some(((what.to_owned(), tokens.parse().ok()?), seconds.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}
