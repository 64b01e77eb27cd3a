//! The device on which the kernel runs.

use std::sync::Arc;

use cudarc::driver::sys::{CUdevice_attribute, CUfunction_attribute};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DeviceRepr, DriverError, LaunchConfig, PushKernelArg,
};
use cudarc::nvrtc::{CompileError, CompileOptions, compile_ptx_with_opts};
use half::bf16;

use super::accelerator::Runs;
use super::batch::{Batch, Listed, Merge, Part, Plan, rows_of};
use super::number;
use crate::error::ModelError;
use crate::page::{PAGE, Page};

/// The kernel's `THREADS`.
const THREADS: u32 = 128;

/// The kernel's `STAGES`.
const STAGES: usize = 2;

/// Parts per block that runs at once, so that long parts end about when short ones do.
const WAVES: usize = 2;

/// Compute capability from which there are products of bf16 and copies in the background.
const OLDEST: i32 = 8;

/// Channels of a head for which the kernel is written.
const DIMS: [usize; 4] = [16, 32, 64, 128];

/// Share of a device's free memory that pages may take, in quarters.
const QUARTERS: usize = 3;

impl From<DriverError> for ModelError {
    fn from(error: DriverError) -> Self {
        Self::Device(format!("CUDA: {error}"))
    }
}

// SAFETY: these are plain numbers in C's layout, the same as in attention.cu.
#[expect(unsafe_code, reason = "what may be copied to a device is a promise")]
unsafe impl DeviceRepr for Listed {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "what may be copied to a device is a promise")]
unsafe impl DeviceRepr for Part {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "what may be copied to a device is a promise")]
unsafe impl DeviceRepr for Merge {}

/// A device with the kernel for heads of one size.
pub struct Gpu {
    stream: Arc<CudaStream>,
    attend: CudaFunction,
    merge: CudaFunction,
    dim: usize,
    /// Blocks that run at once.
    blocks: usize,
}

/// Keys and values of pages on a device, in bf16.
pub struct Pool {
    keys: CudaSlice<bf16>,
    values: CudaSlice<bf16>,
    slots: usize,
}

/// A batch on its way through a device.
pub struct Launch {
    plan: Plan,
    /// Rows of the batch.
    rows: usize,
    parts: CudaSlice<Part>,
    merges: CudaSlice<Merge>,
    pages: CudaSlice<Listed>,
    queries: CudaSlice<bf16>,
    ranges: CudaSlice<[u32; 2]>,
    outputs: CudaSlice<f32>,
    lse: CudaSlice<f32>,
}

impl Gpu {
    /// Opens device `ordinal` and compiles the kernel for heads of `dim` channels.
    ///
    /// # Errors
    /// [`ModelError::Device`] says what is missing.
    pub fn open(ordinal: usize, dim: usize) -> Result<Self, ModelError> {
        if !DIMS.contains(&dim) {
            return Err(channels(dim));
        }
        present()?;
        let context = CudaContext::new(ordinal)?;
        let (major, minor) = context.compute_capability()?;
        if major < OLDEST {
            return Err(ModelError::Device(format!(
                "the device has compute capability {major}.{minor}; the kernel needs 8.0 (Ampere) or above"
            )));
        }
        let source = concat!(include_str!("instructions.cu"), include_str!("attention.cu"));
        let options = vec![format!("--gpu-architecture=compute_{major}{minor}"), format!("-DDIM={dim}")];
        let options = CompileOptions { options, name: Some("attention.cu".to_owned()), ..CompileOptions::default() };
        let module = context.load_module(compile_ptx_with_opts(source, options).map_err(refused)?)?;
        let attend = module.load_function("attend")?;
        let largest = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        let shared = shared_bytes(dim);
        attend.set_attribute(largest, i32::try_from(shared).unwrap_or(i32::MAX))?;
        let each = attend.occupancy_max_active_blocks_per_multiprocessor(THREADS, shared, None)?;
        let count = context.attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        let blocks = each as usize * usize::try_from(count).unwrap_or(1);
        Ok(Self { stream: context.default_stream(), attend, merge: module.load_function("merge")?, dim, blocks })
    }

    /// What the vendor calls it.
    ///
    /// # Errors
    /// [`ModelError::Device`].
    pub fn name(&self) -> Result<String, ModelError> {
        Ok(self.stream.context().name()?)
    }

    /// Room for so many pages of one head.
    ///
    /// # Errors
    /// [`ModelError::Device`], mostly for want of memory.
    pub fn pool(&self, slots: usize) -> Result<Pool, ModelError> {
        let numbers = slots * PAGE * self.dim;
        Ok(Pool { keys: self.stream.alloc_zeros(numbers)?, values: self.stream.alloc_zeros(numbers)?, slots })
    }

    /// Copies a page to a place of the pool.
    ///
    /// # Errors
    /// [`ModelError::Device`] where the pool has no such place, or the driver refuses.
    pub fn store(&self, pool: &mut Pool, slot: usize, page: &Page) -> Result<(), ModelError> {
        let (keys, values) = rows_of(page, self.dim);
        let at = slot * keys.len()..(slot + 1) * keys.len();
        let (Some(mut to_keys), Some(mut to_values)) =
            (pool.keys.try_slice_mut(at.clone()), pool.values.try_slice_mut(at))
        else {
            return Err(full(slot, pool));
        };
        self.stream.memcpy_htod(&keys, &mut to_keys)?;
        Ok(self.stream.memcpy_htod(&values, &mut to_values)?)
    }

    /// Copies a batch to the device.
    ///
    /// # Errors
    /// [`ModelError::Device`] where it names places beyond the pool, or the driver refuses.
    pub fn load(&self, batch: &Batch, pool: &Pool) -> Result<Launch, ModelError> {
        if batch.dim() != self.dim {
            return Err(channels(batch.dim()));
        }
        if let Some(page) = batch.pages().iter().find(|page| page.slot as usize >= pool.slots) {
            return Err(full(page.slot as usize, pool));
        }
        let plan = batch.plan(self.blocks * WAVES);
        Ok(Launch {
            parts: self.copied(&plan.parts)?,
            merges: self.copied(&plan.merges)?,
            pages: self.copied(batch.pages())?,
            queries: self.copied(batch.queries())?,
            ranges: self.copied(batch.ranges())?,
            outputs: self.stream.alloc_zeros((plan.rows * self.dim).max(1))?,
            lse: self.stream.alloc_zeros(plan.rows.max(1))?,
            rows: batch.rows(),
            plan,
        })
    }

    /// A device takes no empty array: one is replaced by a place that nothing reads.
    fn copied<T: DeviceRepr + Clone>(&self, values: &[T]) -> Result<CudaSlice<T>, ModelError> {
        if values.is_empty() {
            return Ok(self.stream.null()?);
        }
        Ok(self.stream.clone_htod(values)?)
    }

    /// Queues the kernel.
    ///
    /// # Errors
    /// [`ModelError::Device`].
    #[expect(unsafe_code, reason = "a kernel's arguments cannot be checked")]
    pub fn start(&self, launch: &mut Launch, pool: &Pool) -> Result<(), ModelError> {
        let (parts, merges) = (number(launch.plan.parts.len()), number(launch.plan.merges.len()));
        if parts == 0 {
            return Ok(());
        }
        let shared_mem_bytes = number(shared_bytes(self.dim));
        let shape = LaunchConfig { grid_dim: (parts, 1, 1), block_dim: (THREADS, 1, 1), shared_mem_bytes };
        let mut attend = self.stream.launch_builder(&self.attend);
        attend.arg(&launch.parts).arg(&launch.pages).arg(&launch.queries).arg(&launch.ranges);
        attend.arg(&pool.keys).arg(&pool.values).arg(&mut launch.outputs).arg(&mut launch.lse);
        // SAFETY: arguments have the types and order of attend() in attention.cu; a plan names rows of its own batch and of
        // `outputs`, and the pages' slots were held against the pool when the batch was loaded.
        unsafe { attend.launch(shape) }?;
        if merges > 0 {
            let shape =
                LaunchConfig { grid_dim: (merges, 1, 1), block_dim: (number(self.dim), 1, 1), shared_mem_bytes: 0 };
            let mut merge = self.stream.launch_builder(&self.merge);
            merge.arg(&launch.merges).arg(&mut launch.outputs).arg(&mut launch.lse);
            // SAFETY: as above, for merge().
            unsafe { merge.launch(shape) }?;
        }
        Ok(())
    }

    /// Waits for all that was queued.
    ///
    /// # Errors
    /// [`ModelError::Device`] from this or an earlier launch.
    pub fn finish(&self) -> Result<(), ModelError> {
        Ok(self.stream.synchronize()?)
    }

    /// Outputs `[rows, dim]` and log-sum-exp `[rows]` of a launch, in the batch's order.
    ///
    /// # Errors
    /// [`ModelError::Device`].
    pub fn results(&self, launch: &Launch) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        let first = |results: &CudaSlice<f32>, numbers: usize| match results.try_slice(..numbers) {
            Some(numbers) if !numbers.is_empty() => self.stream.clone_dtoh(&numbers),
            _ => Ok(Vec::new()),
        };
        Ok((first(&launch.outputs, launch.rows * self.dim)?, first(&launch.lse, launch.rows)?))
    }
}

fn channels(dim: usize) -> ModelError {
    ModelError::Device(format!("heads of {dim} channels have no kernel on a device; those of 16, 32, 64 and 128 have"))
}

fn full(slot: usize, pool: &Pool) -> ModelError {
    ModelError::Device(format!("page {slot} lies beyond the device's pool of {}", pool.slots))
}

fn refused(error: CompileError) -> ModelError {
    let told = match error {
        CompileError::CompileError { log, .. } => log.to_string_lossy().into_owned(),
        other => other.to_string(),
    };
    ModelError::Device(format!("the kernel does not compile on this machine: {told}"))
}

/// A device whose memory is one pool.
pub(super) struct Filled {
    gpu: Gpu,
    pool: Pool,
}

impl Filled {
    /// Takes most of the free memory.
    pub fn new(gpu: Gpu) -> Result<Self, ModelError> {
        let (free, _) = gpu.stream.context().mem_get_info()?;
        let page = 2 * PAGE * gpu.dim * size_of::<bf16>();
        let pool = gpu.pool(free / 4 * QUARTERS / page)?;
        Ok(Self { gpu, pool })
    }
}

impl Runs for Filled {
    fn slots(&self) -> usize {
        self.pool.slots
    }

    fn store(&mut self, slot: usize, page: &Page) -> Result<(), ModelError> {
        self.gpu.store(&mut self.pool, slot, page)
    }

    fn run(&mut self, batch: &Batch) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
        let mut launch = self.gpu.load(batch, &self.pool)?;
        self.gpu.start(&mut launch, &self.pool)?;
        self.gpu.results(&launch)
    }
}

/// Bytes of a block's shared memory: keys and values of the pages under way.
const fn shared_bytes(dim: usize) -> usize {
    STAGES * 2 * PAGE * dim * size_of::<bf16>()
}

/// cudarc panics where a library is missing, so it is asked first.
#[expect(unsafe_code, reason = "loading a library runs its code")]
fn present() -> Result<(), ModelError> {
    // SAFETY: NVIDIA's libraries may be loaded from any thread.
    let (driver, compiler) =
        unsafe { (cudarc::driver::sys::is_culib_present(), cudarc::nvrtc::sys::is_culib_present()) };
    match (driver, compiler) {
        (false, _) => Err(ModelError::Device(
            "libcuda was not found; install NVIDIA's driver, or leave the device out".to_owned(),
        )),
        (_, false) => {
            let fix = "libnvrtc was not found; install CUDA's runtime compiler, or leave the device out";
            Err(ModelError::Device(fix.to_owned()))
        }
        _ => Ok(()),
    }
}
