//! A place to compile and run programs that a model wrote, for LongProc's `pseudo_to_code`. Off unless asked for.
//!
//! The worker starts itself again as `confined`, which gives up files, network, kernel calls and amounts and then becomes
//! the compiler or the program. A kernel that cannot confine runs nothing.

#[cfg(target_os = "linux")]
pub mod confine;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use longboard_suites::metrics::longproc::{TESTS, preamble};
use longboard_suites::program::{Program, Ran};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

/// Bytes that a program may print.
pub const OUTPUT_BYTES: u64 = 1 << 16;

/// Names of the stages of confinement on the command line.
const COMPILE: &str = "compile";
const RUN: &str = "run";

/// Wall time of a compilation.
const COMPILE_DEADLINE: Duration = Duration::from_secs(60);
/// Wall time of a test, for programs that wait; those that compute end by the limit of processor seconds.
const RUN_DEADLINE: Duration = Duration::from_secs(10);

/// Why a program could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Install a compiler.
    #[error("no g++ on this machine: install it, or leave --sandbox out")]
    NoCompiler,
    /// Use a newer kernel.
    #[error("this machine cannot confine programs, so none are run: Linux 5.13 with Landlock is needed ({0})")]
    Unconfined(String),
    /// Look at the disk and the limits of the worker.
    #[error("the sandbox failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Compiles and runs programs in confinement.
#[derive(Debug, Clone)]
pub struct Sandbox {
    launcher: PathBuf,
    compiler: PathBuf,
}

impl Sandbox {
    /// The sandbox of this machine; `launcher` is a `longboard-worker`, which is started again as `confined`.
    ///
    /// # Errors
    /// [`SandboxError`] where there is no compiler or the kernel cannot confine.
    pub async fn open(launcher: &Path) -> Result<Self, SandboxError> {
        let compiler = ["/usr/bin/g++", "/usr/local/bin/g++"].map(PathBuf::from).into_iter().find(|path| path.exists());
        let sandbox = Self { launcher: launcher.to_owned(), compiler: compiler.ok_or(SandboxError::NoCompiler)? };
        let folder = Scratch::new()?;
        let mut compiler = sandbox.confined(COMPILE, &sandbox.compiler, &folder);
        let outcome = compiler.arg("--version").stderr(Stdio::piped()).output().await?;
        if outcome.status.success() {
            return Ok(sandbox);
        }
        Err(SandboxError::Unconfined(String::from_utf8_lossy(&outcome.stderr).trim().to_owned()))
    }

    /// Compiles a program and runs its tests up to the first that fails without output, which decides.
    ///
    /// # Errors
    /// [`SandboxError::Io`] when the machine fails, not the program.
    pub async fn run(&self, program: &Program) -> Result<Ran, SandboxError> {
        let folder = Scratch::new()?;
        std::fs::write(folder.path("program.cpp"), preamble() + &program.code)?;
        let mut compiler = self.confined(COMPILE, &self.compiler, &folder);
        compiler.args(["-std=c++11", "-O", "program.cpp", "-o", "program"]);
        if !ends_well(&mut compiler, COMPILE_DEADLINE).await? {
            return Ok(Ran::NotCompiled);
        }
        let mut outputs = Vec::new();
        for (input, _) in program.tests.iter().take(TESTS) {
            let output = self.output(&folder, &format!("{}\n", input.join("\n"))).await?;
            let failed = output.is_none();
            outputs.push(output);
            if failed {
                break;
            }
        }
        Ok(Ran::Printed(outputs))
    }

    async fn output(&self, folder: &Scratch, input: &str) -> Result<Option<String>, SandboxError> {
        std::fs::write(folder.path("input"), input)?;
        let printed = folder.path("output");
        let mut program = self.confined(RUN, &folder.path("program"), folder);
        program.stdin(File::open(folder.path("input"))?).stdout(File::create(&printed)?);
        if !ends_well(&mut program, RUN_DEADLINE).await? {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        File::open(&printed)?.take(OUTPUT_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8(bytes).ok())
    }

    /// A program that will be confined, still without arguments.
    fn confined(&self, stage: &str, program: &Path, folder: &Scratch) -> Command {
        let mut command = Command::new(&self.launcher);
        command.args(["confined", "--stage", stage, "--folder"]).arg(folder.root.path()).arg("--").arg(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("TMPDIR", folder.root.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0).kill_on_drop(true);
        command
    }
}

/// Whether a process ends by itself and successfully; its whole group is ended when it takes too long.
async fn ends_well(command: &mut Command, deadline: Duration) -> Result<bool, SandboxError> {
    let mut child = command.spawn()?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    match tokio::time::timeout(deadline, child.wait()).await {
        Ok(status) => Ok(status?.success()),
        Err(_) => {
            if let Some(group) = group {
                // The group may have ended in between; then there is nothing to end.
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait().await?;
            Ok(false)
        }
    }
}

/// A folder that is removed with all that was left in it.
struct Scratch {
    root: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Result<Self, SandboxError> {
        Ok(Self { root: tempfile::Builder::new().prefix("longboard-sandbox-").tempdir()? })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
}
