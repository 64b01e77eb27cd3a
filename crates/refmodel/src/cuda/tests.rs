use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use half::bf16;
use longboard_suites::rng::Rng;

use super::accelerator::{Accelerator, Runs};
use super::batch::rows_of;
use super::{Batch, Listed, Plan};
use crate::attention::{Chunk, attend};
use crate::cache::HeadCache;
use crate::error::ModelError;
use crate::kernel::{self, PageView, RowRange};
use crate::page::{PAGE, Page, first_bits};
use crate::policy::{Ahead, Card, Meter, Policy, Selector, Site};

/// Pages of a text, one of them poisoned where `seen` hides it.
struct Text {
    dim: usize,
    pages: Vec<Page>,
    seen: Vec<u64>,
    tokens: usize,
}

fn draw(rng: &mut Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| bf16::from_f64(rng.unit() * 4.0 - 2.0).to_f32()).collect()
}

impl Text {
    /// Numbers are those of bf16, so that only sums and weights are rounded.
    fn new(dim: usize, tokens: usize) -> Self {
        let mut rng = Rng::from_path(&[dim as u64, tokens as u64]);
        let mut pages: Vec<Page> = Vec::new();
        for _ in 0..tokens {
            if pages.last().is_none_or(|page| page.len() == PAGE) {
                pages.push(Page::new(dim));
            }
            pages.last_mut().unwrap().push(&draw(&mut rng, dim), &draw(&mut rng, dim));
        }
        let mut seen: Vec<u64> = pages.iter().map(|page| first_bits(page.len())).collect();
        let poison = vec![f32::NAN; dim];
        if let (Some(page), Some(seen)) = (pages.get_mut(1), seen.get_mut(1)) {
            let tokens = page.len();
            for token in [1, 17, 40].into_iter().filter(|token| *token < tokens) {
                page.set(token, &poison, &poison);
                *seen &= !(1 << token);
            }
        }
        Self { dim, pages, seen, tokens }
    }

    fn views(&self, chosen: &[usize]) -> Vec<PageView<'_>> {
        let view = |page: &usize| PageView { page: &self.pages[*page], valid: self.seen[*page], first: page * PAGE };
        chosen.iter().map(view).collect()
    }

    /// Pages lie on the device in reverse.
    fn listed(&self, chosen: &[usize]) -> Vec<Listed> {
        let slot = |page: usize| (self.pages.len() - 1 - page) as u32;
        let listed = |page: &usize| Listed { slot: slot(*page), first: (page * PAGE) as u32, seen: self.seen[*page] };
        chosen.iter().map(listed).collect()
    }

    fn queries(&self, rows: usize) -> Vec<f32> {
        let mut rng = Rng::from_path(&[9, rows as u64]);
        let queries = draw(&mut rng, rows * self.dim);
        queries.into_iter().map(|channel| bf16::from_f32(channel / 4.0).to_f32()).collect()
    }
}

/// Tiles of every kind with what the processor's kernel makes of them, `[rows, dim]` and `[rows]`.
fn tiles(text: &Text) -> (Batch, Vec<f32>, Vec<f32>) {
    let all: Vec<usize> = (0..text.pages.len()).collect();
    let some: Vec<usize> = all.iter().copied().filter(|page| page % 3 != 2).collect();
    let causal = |first: usize, rows: usize| (first..first + rows).map(|own| RowRange { from: 0, to: own + 1 });
    let near = |first: usize, rows: usize| {
        (first..first + rows).map(|own| RowRange { from: (own + 1).saturating_sub(50), to: own + 1 })
    };
    let last = text.tokens - 1;
    let kinds: Vec<(Vec<RowRange>, &[usize])> = vec![
        (causal(last, 1).collect(), &all),
        (causal(text.tokens.saturating_sub(100), 100.min(text.tokens)).collect(), &all),
        (causal(text.tokens / 2, text.tokens.div_ceil(2).min(48)).collect(), &some),
        (near(text.tokens / 3, text.tokens.div_ceil(3).min(17)).collect(), &all),
        (vec![RowRange { from: 5, to: 5 }, RowRange { from: 0, to: text.tokens }], &all),
        (causal(last, 1).collect(), &[]),
    ];
    let (mut batch, mut outputs, mut lses) = (Batch::new(text.dim), Vec::new(), Vec::new());
    for (ranges, chosen) in kinds {
        let queries = text.queries(ranges.len());
        let (mut output, mut lse) = (vec![0.0; queries.len()], vec![0.0; ranges.len()]);
        kernel::attend(&queries, &ranges, &text.views(chosen), &mut output, &mut lse);
        batch.push(&queries, &ranges, &text.listed(chosen));
        outputs.extend(output);
        lses.extend(lse);
    }
    (batch, outputs, lses)
}

fn same(got: &[f32], wanted: &[f32], by: f32) -> Result<(), String> {
    for (at, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        let near = got == wanted || (got - wanted).abs() <= by;
        if !near {
            return Err(format!("{at}: {got} for {wanted}"));
        }
    }
    if got.len() < wanted.len() { Err(format!("{} of {}", got.len(), wanted.len())) } else { Ok(()) }
}

/// The kernel's source as a program for this processor; `None`, with a word, where nothing compiles it.
fn emulator(folder: &Path, dim: usize) -> Option<PathBuf> {
    let program = folder.join(format!("attention-{dim}"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cuda/emulated.cpp");
    let mut compiler = Command::new("g++");
    compiler.args(["-std=c++17", "-O1", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-o"]).arg(&program);
    match compiler.arg(format!("-DDIM={dim}")).arg(source).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            println!("SKIPPED: the kernel for graphics processors is not tested without g++: {error}");
            return None;
        }
    }
    Some(program)
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn halves(values: &[bf16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect()
}

fn emulated(program: &Path, text: &Text, batch: &Batch, plan: &Plan, order: u32) -> (Vec<f32>, Vec<f32>) {
    let counts = [plan.parts.len(), batch.pages().len(), batch.rows(), text.pages.len(), plan.merges.len(), plan.rows];
    let mut input = words(&counts.map(|count| count as u32));
    input.extend(words(&[order]));
    for part in &plan.parts {
        input.extend(words(&[part.row, part.rows, part.page, part.pages, part.out]));
    }
    for page in batch.pages() {
        input.extend(words(&[page.slot, page.first]));
        input.extend(page.seen.to_le_bytes());
    }
    input.extend(halves(batch.queries()));
    batch.ranges().iter().for_each(|range| input.extend(words(range)));
    let (keys, values): (Vec<_>, Vec<_>) = text.pages.iter().rev().map(|page| rows_of(page, text.dim)).unzip();
    keys.iter().chain(&values).for_each(|rows| input.extend(halves(rows)));
    for merge in &plan.merges {
        input.extend(words(&[merge.out, merge.from, merge.parts, merge.stride]));
    }
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let numbers = output.stdout.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    let mut outputs: Vec<f32> = numbers.collect();
    let lse = outputs.split_off(plan.rows * text.dim);
    (outputs, lse)
}

#[test]
fn the_kernel_for_graphics_processors_equals_the_other_one_on_the_same_lists() {
    let folder = tempfile::TempDir::new().unwrap();
    for (dim, tokens) in [(16, 300), (32, 30), (64, 700), (128, 200)] {
        let Some(program) = emulator(folder.path(), dim) else { return };
        let text = Text::new(dim, tokens);
        let (batch, outputs, lses) = tiles(&text);
        // Uncut, and cut as finely as it goes; threads in two orders.
        for (blocks, order) in [(1, 1), (usize::MAX, 127)] {
            let plan = batch.plan(blocks);
            assert_eq!(plan.merges.is_empty(), blocks == 1 || text.pages.len() <= 8);
            let (got, lse) = emulated(&program, &text, &batch, &plan, order);
            same(&got, &outputs, 2e-2).unwrap_or_else(|error| panic!("output, {dim} channels, {error}"));
            same(&lse, &lses, 1e-3).unwrap_or_else(|error| panic!("log-sum-exp, {dim} channels, {error}"));
        }
    }
}

#[test]
fn a_plan_reads_every_page_of_every_row_once() {
    let text = Text::new(16, 1500);
    let (batch, ..) = tiles(&text);
    for blocks in [1, 3, 20, usize::MAX] {
        let plan = batch.plan(blocks);
        let mut read: Vec<(u32, u32)> = Vec::new();
        for part in &plan.parts {
            let rows = part.row..part.row + part.rows;
            read.extend(rows.flat_map(|row| (part.page..part.page + part.pages).map(move |page| (row, page))));
        }
        let pairs = read.len();
        read.sort_unstable();
        read.dedup();
        assert_eq!(read.len(), pairs, "no page twice");
        let whole = batch.plan(1);
        assert_eq!(pairs, whole.parts.iter().map(|part| (part.rows * part.pages) as usize).sum::<usize>());
        let mut written: Vec<u32> = plan.parts.iter().flat_map(|part| part.out..part.out + part.rows).collect();
        written.extend(plan.merges.iter().map(|merge| merge.out));
        written.sort_unstable();
        assert_eq!(written, (0..plan.rows as u32).collect::<Vec<_>>(), "every row of results is written once");
        let joined = plan.merges.iter().flat_map(|merge| (0..merge.parts).map(|part| merge.from + part * merge.stride));
        assert!(joined.clone().all(|row| row >= batch.rows() as u32));
        assert_eq!(joined.count(), plan.rows - batch.rows());
    }
}

/// Stands where a device would: holds few pages, and reads them with the processor's kernel.
struct Processor {
    pages: Vec<Option<Page>>,
    stored: Arc<AtomicUsize>,
}

impl Processor {
    fn accelerator(slots: usize) -> (Accelerator, Arc<AtomicUsize>) {
        let stored = Arc::new(AtomicUsize::new(0));
        let runs = Self { pages: vec![None; slots], stored: Arc::clone(&stored) };
        (Accelerator::new("a processor".to_owned(), Box::new(runs)), stored)
    }
}

impl Runs for Processor {
    fn slots(&self) -> usize {
        self.pages.len()
    }

    fn store(&mut self, slot: usize, page: &Page) -> Result<(), ModelError> {
        self.stored.fetch_add(1, Ordering::Relaxed);
        self.pages[slot] = Some(page.clone());
        Ok(())
    }

    fn run(&mut self, batch: &Batch) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        let (mut outputs, mut lse) = (vec![0.0; batch.rows() * batch.dim()], vec![0.0; batch.rows()]);
        for part in batch.plan(1).parts {
            let rows = part.row as usize..(part.row + part.rows) as usize;
            let channels = rows.start * batch.dim()..rows.end * batch.dim();
            let queries: Vec<f32> = batch.queries()[channels.clone()].iter().map(|channel| channel.to_f32()).collect();
            let range = |[from, to]: &[u32; 2]| RowRange { from: *from as usize, to: *to as usize };
            let ranges: Vec<RowRange> = batch.ranges()[rows.clone()].iter().map(range).collect();
            let listed = &batch.pages()[part.page as usize..(part.page + part.pages) as usize];
            let view = |page: &Listed| PageView {
                page: self.pages[page.slot as usize].as_ref().unwrap(),
                valid: page.seen,
                first: page.first as usize,
            };
            let views: Vec<PageView<'_>> = listed.iter().map(view).collect();
            kernel::attend(&queries, &ranges, &views, &mut outputs[channels], &mut lse[rows]);
        }
        Ok((outputs, lse))
    }
}

const DIM: usize = 16;

/// A head under a policy, which reads twice: on the processor and on what stands for a device.
struct Head {
    cache: HeadCache,
    policy: Box<dyn Policy>,
    rng: Rng,
}

impl Head {
    fn new(card: &Card, tokens: usize, seed: u64) -> Self {
        let policy = card.build(&card.settings(&[]).unwrap());
        let cache = HeadCache::new(DIM, policy.summaries());
        let mut head = Self { cache, policy, rng: Rng::from_path(&[seed]) };
        head.push(tokens);
        head
    }

    fn push(&mut self, tokens: usize) {
        for _ in 0..tokens {
            let (key, value) = (draw(&mut self.rng, DIM), draw(&mut self.rng, DIM));
            self.cache.push(self.cache.next() as u32, &key, &value);
        }
    }

    fn read(&self, selector: &mut dyn Selector, queries: &[f32], on: Option<&Accelerator>) -> (Vec<f32>, Vec<f32>) {
        let rows = queries.len() / DIM;
        let (first, decoding, meter) = (self.cache.next() - rows, rows == 1, Meter::default());
        let whole = [queries.to_vec()];
        let ahead = Ahead { queries: &whole, first, decoding, prompt_ends: false, sentence_ends: &[], meter: &meter };
        selector.open(&self.cache, &ahead);
        let tile_rows = self.policy.tile_rows(false);
        let (rope, position, member) = (None, first, 0);
        let chunk =
            Chunk { queries, member, first, position, decoding, rope, tile_rows, meter: &meter, accelerator: on };
        let (mut output, mut lse) = (vec![0.0; queries.len()], vec![0.0; rows]);
        attend(&chunk, DIM, &self.cache, selector, &mut output, &mut lse);
        (output, lse)
    }

    fn check(&mut self, rows: usize, device: &Accelerator) -> Result<(), String> {
        let queries: Vec<f32> = draw(&mut self.rng, rows * DIM);
        let site = Site { layer: 1, kv_head: 0, kv_heads: 2, group: 1, gate_share: None };
        let (wanted, wanted_lse) = self.read(self.policy.selector(site).as_mut(), &queries, None);
        let (got, lse) = self.read(self.policy.selector(site).as_mut(), &queries, Some(device));
        same(&got, &wanted, 0.1)?;
        same(&lse, &wanted_lse, 0.1)
    }
}

#[test]
fn what_a_policy_chooses_is_read_on_a_device_as_on_the_processor() {
    for card in Card::all() {
        // Two heads of 11 and 12 pages take turns on a device that holds 14.
        let (device, _) = Processor::accelerator(14);
        let mut heads = [Head::new(card, 700, 1), Head::new(card, 760, 2)];
        for rows in [130, 1, 1] {
            for head in &mut heads {
                head.check(rows, &device).unwrap_or_else(|error| panic!("{}, {rows} rows: {error}", card.slug));
                assert_eq!(device.failure(), None);
                head.push(1);
            }
        }
    }
}

#[test]
fn a_page_is_copied_once_and_again_when_it_has_grown_or_was_pushed_out() {
    let dense = Card::find("dense").unwrap();
    let (device, stored) = Processor::accelerator(14);
    let copied = |head: &mut Head| {
        let before = stored.load(Ordering::Relaxed);
        head.check(1, &device).unwrap();
        stored.load(Ordering::Relaxed) - before
    };
    let mut head = Head::new(dense, 700, 1);
    assert_eq!((copied(&mut head), copied(&mut head)), (11, 0));
    head.push(1);
    assert_eq!(copied(&mut head), 1, "the last page grew");
    assert_eq!(copied(&mut Head::new(dense, 760, 2)), 12);
    assert!(copied(&mut head) >= 9, "its pages made room");
}

#[test]
fn the_processor_reads_where_a_device_is_too_small() {
    let (device, _) = Processor::accelerator(5);
    let mut head = Head::new(Card::find("dense").unwrap(), 700, 1);
    head.check(3, &device).unwrap();
    assert!(device.failure().unwrap().contains("the 5 that fit the device"), "{:?}", device.failure());
    head.check(3, &device).unwrap();
}

#[cfg(feature = "cuda")]
#[test]
fn a_device_computes_what_the_processor_does() {
    use super::gpu::Gpu;
    for (dim, tokens) in [(16, 300), (32, 5000), (64, 700), (128, 9000)] {
        let gpu = match Gpu::open(0, dim) {
            Ok(gpu) => gpu,
            Err(error) => {
                println!("SKIPPED: the kernel is not tested on a device: {error}");
                return;
            }
        };
        let text = Text::new(dim, tokens);
        let (batch, outputs, lses) = tiles(&text);
        let mut pool = gpu.pool(text.pages.len()).unwrap();
        for (slot, page) in text.pages.iter().rev().enumerate() {
            gpu.store(&mut pool, slot, page).unwrap();
        }
        let mut launch = gpu.load(&batch, &pool).unwrap();
        gpu.start(&mut launch, &pool).unwrap();
        let (got, lse) = gpu.results(&launch).unwrap();
        same(&got, &outputs, 2e-2).unwrap_or_else(|error| panic!("output, {dim} channels, {error}"));
        same(&lse, &lses, 1e-3).unwrap_or_else(|error| panic!("log-sum-exp, {dim} channels, {error}"));
    }
}
