//! The data folder: database file and key, readable by their owner only.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
#[cfg(feature = "all-in-one")]
use longboard_app::Fresh;
use longboard_app::vault::{KEY_BYTES, Vault};
#[cfg(feature = "all-in-one")]
use sha2::{Digest, Sha256};

/// An existing data folder.
pub(crate) struct DataDir(PathBuf);

/// Opens the folder, making it when it is missing.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn open(path: &Path) -> anyhow::Result<DataDir> {
    if !path.is_dir() {
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("cannot make the data folder {}; choose another --data-dir", path.display()))?;
    }
    let absolute = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
    Ok(DataDir(absolute))
}

impl DataDir {
    /// URL of the database file.
    pub(crate) fn sqlite_url(&self) -> String {
        format!("sqlite://{}", self.0.join("longboard.db").display())
    }

    /// The vault under this folder's key.
    pub(crate) fn vault(&self) -> anyhow::Result<Vault> {
        Ok(Vault::new(self.key()?))
    }

    /// Randomness that only this instance knows, for the token of its own worker.
    #[cfg(feature = "all-in-one")]
    pub(crate) fn worker_key(&self) -> anyhow::Result<Fresh> {
        Ok(Sha256::new().chain_update("in-process worker").chain_update(self.key()?).finalize().into())
    }

    /// Makes a key that appears whole or not at all: of several servers on one folder, the first one's stays.
    fn new_key(&self, path: &Path) -> std::io::Result<()> {
        let draft = self.0.join(format!("key.{:016x}", rand::random::<u64>()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&rand::random::<[u8; KEY_BYTES]>())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked.or_else(|error| if path.exists() { Ok(()) } else { Err(error) })
    }

    /// The key, made on first use.
    fn key(&self) -> anyhow::Result<[u8; KEY_BYTES]> {
        let path = self.0.join("key");
        if !path.exists() {
            self.new_key(&path).with_context(|| format!("cannot make the key {}", path.display()))?;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read the key {}", path.display()))?;
        <[u8; KEY_BYTES]>::try_from(bytes)
            .map_err(|_| anyhow::anyhow!("{} is no key: restore the file from your backup", path.display()))
    }
}
