//! Child processes of scenario tests: started with a free port, watched by their output, killed by their handle.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A child process whose output lines are kept.
pub struct Process {
    child: Child,
    name: String,
    lines: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Process {
    /// Starts `command` and follows its stdout and stderr.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let lines = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let streams: [Option<Box<dyn std::io::Read + Send>>; 2] =
            [child.stdout.take().map(|out| Box::new(out) as _), child.stderr.take().map(|err| Box::new(err) as _)];
        for stream in streams.into_iter().flatten() {
            let lines = Arc::clone(&lines);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    lines.0.lock().expect("lines").push(line);
                    lines.1.notify_all();
                }
            });
        }
        Self { child, name: name.to_owned(), lines }
    }

    /// Waits until a line contains `text` and returns that line.
    ///
    /// # Panics
    /// With everything the process said, when `within` passes first.
    #[must_use]
    pub fn wait_for(&self, text: &str, within: Duration) -> String {
        let end = Instant::now() + within;
        let mut lines = self.lines.0.lock().expect("lines");
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} never said `{text}`; it said:\n{}", self.name, lines.join("\n"));
            lines = self.lines.1.wait_timeout(lines, left).expect("lines").0;
        }
    }

    /// Everything said so far.
    ///
    /// # Panics
    /// Never in practice: only when a reader thread panicked.
    #[must_use]
    pub fn output(&self) -> String {
        self.lines.0.lock().expect("lines").join("\n")
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills without warning (SIGKILL) and waits.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal by name, e.g. `STOP`, `CONT`, `TERM`.
    pub fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status();
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When the process cannot be waited for.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("a child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port on loopback that was free a moment ago.
///
/// # Panics
/// When loopback has no free port.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
