//! Attention of the model's tiles on a device. Pages stay where they are and are copied to the device when it first reads
//! them; those that were not read for longest make room.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::batch::{Batch, Listed};
use super::number;
use crate::attention::prepared;
use crate::cache::{HeadCache, Slot};
use crate::error::ModelError;
use crate::page::Page;
use crate::policy::{Reading, Tile};

/// What holds pages and runs batches over them.
pub(crate) trait Runs: Send {
    /// Pages that it can hold.
    fn slots(&self) -> usize;

    /// Copies a page to a place.
    fn store(&mut self, slot: usize, page: &Page) -> Result<(), ModelError>;

    /// Outputs `[rows, dim]` and log-sum-exp `[rows]`.
    fn run(&mut self, batch: &Batch) -> Result<(Vec<f32>, Vec<f32>), ModelError>;
}

/// A device that reads pages in place of the processor.
pub struct Accelerator {
    name: String,
    state: Mutex<State>,
    failure: OnceLock<String>,
}

struct State {
    runs: Box<dyn Runs>,
    places: HashMap<u64, Place>,
    free: Vec<usize>,
    /// Counts launches.
    turn: u64,
}

/// Where a page lies on the device.
struct Place {
    slot: usize,
    /// Tokens of the page when it was copied.
    tokens: usize,
    /// When it was last read.
    read: u64,
}

/// Outputs and log-sum-exp of the rows of readings, one after the other.
pub(crate) struct Results {
    outputs: Vec<f32>,
    lse: Vec<f32>,
    dim: usize,
    row: usize,
}

impl Results {
    /// Fills the next rows in.
    pub fn next(&mut self, output: &mut [f32], lse: &mut [f32]) {
        let rows = self.row..self.row + lse.len();
        self.row = rows.end;
        let channels = self.outputs.get(rows.start * self.dim..rows.end * self.dim);
        if let (Some(channels), Some(sums)) = (channels, self.lse.get(rows)) {
            output.copy_from_slice(channels);
            lse.copy_from_slice(sums);
        }
    }
}

impl Accelerator {
    /// NVIDIA's device `ordinal`, for a model with heads of `dim` channels.
    ///
    /// # Errors
    /// [`ModelError::Device`] says what is missing.
    #[cfg(feature = "cuda")]
    pub fn open(ordinal: usize, dim: usize) -> Result<Self, ModelError> {
        let gpu = super::gpu::Gpu::open(ordinal, dim)?;
        let name = gpu.name()?;
        Ok(Self::new(name, Box::new(super::gpu::Filled::new(gpu)?)))
    }

    /// NVIDIA's device `ordinal`, for a model with heads of `dim` channels.
    ///
    /// # Errors
    /// [`ModelError::Device`]: this build has no kernel for devices.
    #[cfg(not(feature = "cuda"))]
    pub fn open(_ordinal: usize, _dim: usize) -> Result<Self, ModelError> {
        Err(ModelError::Device(
            "this program was built without CUDA; build it with `--features cuda`, or leave the device out".to_owned(),
        ))
    }

    #[cfg(any(test, feature = "cuda"))]
    pub(crate) fn new(name: String, runs: Box<dyn Runs>) -> Self {
        let free = (0..runs.slots()).rev().collect();
        let state = State { runs, places: HashMap::new(), free, turn: 0 };
        Self { name, state: Mutex::new(state), failure: OnceLock::new() }
    }

    /// What its vendor calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it reads nothing any more, once it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Reads what was chosen for tiles of one head. `None` once the device failed: the processor then reads instead.
    pub(crate) fn read(&self, cache: &HeadCache, chosen: &[(Tile<'_>, Vec<Reading>)]) -> Option<Results> {
        if self.failure.get().is_some() {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.read(cache, chosen) {
            Ok(results) => Some(results),
            Err(error) => {
                let _ = self.failure.set(error.to_string());
                None
            }
        }
    }
}

impl State {
    fn read(&mut self, cache: &HeadCache, chosen: &[(Tile<'_>, Vec<Reading>)]) -> Result<Results, ModelError> {
        self.turn += 1;
        let mut batch = Batch::new(cache.dim());
        let mut places: Vec<Option<u32>> = vec![None; cache.slots().len()];
        for (tile, reading) in chosen.iter().flat_map(|(tile, readings)| readings.iter().map(move |one| (tile, one))) {
            let mut pages = Vec::with_capacity(reading.pages.len());
            for page in &reading.pages {
                let (Some(slot), Some(known)) = (cache.slots().get(page.slot), places.get_mut(page.slot)) else {
                    continue;
                };
                let place = match *known {
                    Some(place) => place,
                    None => *known.insert(self.place(slot)?),
                };
                pages.push(Listed { slot: place, first: number(slot.first), seen: page.valid });
            }
            let (queries, ranges) = prepared(tile, reading, None);
            batch.push(&queries, &ranges, &pages);
        }
        let (outputs, lse) = self.runs.run(&batch)?;
        Ok(Results { outputs, lse, dim: cache.dim(), row: 0 })
    }

    /// Where a page lies, copied there if it does not yet lie there with all of its tokens.
    fn place(&mut self, slot: &Slot) -> Result<u32, ModelError> {
        let (id, tokens) = (slot.page.id(), slot.page.len());
        let at = match self.places.get(&id) {
            Some(place) => place.slot,
            None => self.vacant()?,
        };
        let place = self.places.entry(id).or_insert(Place { slot: at, tokens: 0, read: self.turn });
        place.read = self.turn;
        if place.tokens < tokens {
            place.tokens = tokens;
            self.runs.store(at, &slot.page)?;
        }
        Ok(number(at))
    }

    /// A place that is free, after the pages that were not read for longest, a quarter of all, made room.
    fn vacant(&mut self) -> Result<usize, ModelError> {
        if self.free.is_empty() {
            let mut old: Vec<(u64, u64)> = self.places.iter().map(|(id, place)| (place.read, *id)).collect();
            old.retain(|(read, _)| *read < self.turn);
            old.sort_unstable();
            old.truncate((self.places.len() / 4).max(1));
            self.free.extend(old.iter().filter_map(|(_, id)| self.places.remove(id)).map(|place| place.slot));
        }
        self.free.pop().ok_or_else(|| {
            let slots = self.runs.slots();
            ModelError::Device(format!("one head reads more pages at once than the {slots} that fit the device"))
        })
    }
}
