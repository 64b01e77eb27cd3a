//! What a confined process gives up before it becomes the program.
//!
//! Files: Landlock leaves it the system's libraries to read and, while compiling, one folder to write to. Kernel: a
//! compiler may do what compilers do but reach no network; a program may do arithmetic, memory and its three open files.
//! Amounts: processor seconds, memory, file size and open files have limits.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Gives up rights and becomes the program.
#[derive(Debug, Args)]
pub struct Confined {
    /// What the program is.
    #[arg(long)]
    stage: Stage,
    /// The only folder that is its own.
    #[arg(long)]
    folder: PathBuf,
    /// Program and arguments.
    #[arg(last = true, required = true)]
    command: Vec<PathBuf>,
}

/// What a confined process may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// A compiler: starts processes, reads the system's headers, writes to its folder.
    Compile,
    /// A compiled program: reads its input, writes its output.
    Run,
}

/// Processor seconds, bytes of memory, bytes of a file, open files.
struct Limits {
    cpu_seconds: u64,
    memory_bytes: u64,
    file_bytes: u64,
    open_files: u64,
}

/// The kernel interface of Linux 5.13; more is used where it is there.
const NEEDED: ABI = ABI::V1;
const WANTED: ABI = ABI::V6;

/// What compilers and the dynamic loader read.
const SYSTEM: [&str; 7] =
    ["/usr", "/bin", "/lib", "/lib64", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.preload"];

/// Kernel calls of a program that computes.
const COMPUTING: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_ioctl,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pread64,
    libc::SYS_prlimit64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_tgkill,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Those that only older architectures have.
#[cfg(target_arch = "x86_64")]
const COMPUTING_HERE: &[i64] = &[libc::SYS_access, libc::SYS_arch_prctl, libc::SYS_readlink, libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const COMPUTING_HERE: &[i64] = &[];

/// Kernel calls that no compiler needs: networks, other processes' memory, namespaces, kernel programs.
const REACHING_OUT: &[i64] = &[
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

impl Stage {
    const fn limits(self) -> Limits {
        match self {
            Self::Compile => Limits { cpu_seconds: 20, memory_bytes: 2 << 30, file_bytes: 64 << 20, open_files: 256 },
            Self::Run => Limits {
                cpu_seconds: longboard_suites::metrics::longproc::RUN_SECONDS as u64,
                memory_bytes: 512 << 20,
                file_bytes: super::OUTPUT_BYTES,
                open_files: 16,
            },
        }
    }

    fn filter(self) -> anyhow::Result<BpfProgram> {
        let denied = SeccompAction::Errno(libc::EPERM.cast_unsigned());
        let (calls, listed, others) = match self {
            Self::Compile => (vec![REACHING_OUT], denied, SeccompAction::Allow),
            Self::Run => (vec![COMPUTING, COMPUTING_HERE], SeccompAction::Allow, denied),
        };
        let rules: BTreeMap<i64, Vec<_>> = calls.into_iter().flatten().map(|call| (*call, Vec::new())).collect();
        let filter = SeccompFilter::new(rules, others, listed, std::env::consts::ARCH.try_into()?)?;
        Ok(filter.try_into()?)
    }
}

impl Confined {
    /// Does not return when all went well.
    ///
    /// # Errors
    /// When the kernel confines nothing, or the program cannot be started.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (program, arguments) = self.command.split_first().context("no program is named")?;
        let mut command = Command::new(program);
        command.args(arguments);
        std::env::set_current_dir(&self.folder)?;
        let filter = self.stage.filter()?;
        files(self.stage, &self.folder)?;
        amounts(&self.stage.limits())?;
        seccompiler::apply_filter(&filter)?;
        Err(command.exec()).with_context(|| format!("cannot start {}", program.display()))
    }
}

/// Leaves the process the files of its stage.
fn files(stage: Stage, folder: &Path) -> anyhow::Result<()> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?;
    for path in SYSTEM.iter().map(Path::new).filter(|path| path.exists()) {
        rules = allow(rules, path, AccessFs::from_read(WANTED))?;
    }
    rules = match stage {
        Stage::Compile => {
            let null = allow(rules, Path::new("/dev/null"), AccessFs::ReadFile | AccessFs::WriteFile)?;
            allow(null, folder, AccessFs::from_all(WANTED))?
        }
        Stage::Run => allow(rules, folder, AccessFs::Execute | AccessFs::ReadFile)?,
    };
    let status = rules.restrict_self()?;
    ensure!(status.ruleset != RulesetStatus::NotEnforced, "this kernel has no Landlock: nothing is run");
    Ok(())
}

fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> anyhow::Result<RulesetCreated> {
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(WANTED) };
    Ok(rules.add_rule(PathBeneath::new(PathFd::new(path)?, access))?)
}

fn amounts(limits: &Limits) -> anyhow::Result<()> {
    let all = [
        (Resource::Core, 0),
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Nofile, limits.open_files),
        (Resource::As, limits.memory_bytes),
    ];
    for (resource, most) in all {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .with_context(|| format!("cannot limit {resource:?} to {most}"))?;
    }
    Ok(())
}
